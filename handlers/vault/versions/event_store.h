#pragma once
// What has happened in a vault, for its owner: uploads of the database, what was refused, and changes of settings.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "handlers/base/ids.h"
#include "handlers/vault/tree/vault_store.h"
#include "handlers/vault/versions/version_store.h"
#include "sql/tx.h"

namespace syncline::vault {

enum class EventLevel { kInfo, kWarning, kAlarm };

struct Event {
  EventLevel level = EventLevel::kInfo;
  std::string kind{};  ///< "upload_ok"
  DeviceId device{};
  Source source = Source::kWebdav;
  std::string path{};
  std::string message{};
  std::optional<VersionId> version{};
};

struct PastEvent {
  std::int64_t id = 0;
  sql::Time at{};
  std::string level{}, kind{}, source{}, path{}, message{};
  DeviceId device{};
  std::optional<std::int64_t> version{};
};

class EventStore {
 public:
  EventStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}
  void Add(VaultId vault, const Event& event);
  /// Those before `before`, newest first.
  std::vector<PastEvent> Page(VaultId vault, std::int64_t before, int limit);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::vault
