#pragma once
// What has happened in a vault, for its owner: uploads of the database, what was refused, and changes of settings.
#include <cstdint>
#include <optional>
#include <string>

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

class EventStore {
 public:
  EventStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}
  void Add(VaultId vault, const Event& event);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::vault
