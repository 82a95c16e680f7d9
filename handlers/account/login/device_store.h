#pragma once
// The devices of one account: every key ever issued for it. Only hashes of keys are stored.
//
// Locks: rows of devices, after the row in users where both are needed (Add with a limit).
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::account {

struct Device {
  DeviceId id{};
  std::string kind;
  std::string name;
  sql::Time created_at;
  std::optional<sql::Time> last_seen_at;  ///< accurate to some minutes
  std::optional<sql::Time> revoked_at;
};

struct NewDevice {
  std::string_view kind;
  std::string_view name;
  std::string key_hash;  ///< 32 bytes
  /// After this it is revoked, unless its key is replaced before.
  std::optional<std::chrono::seconds> lifetime{};
  bool is_kept = false;  ///< for a session: its refresh token is never replaced (TokenLifetimes)
};

struct LiveDevice {
  DeviceId id{};
  bool is_admin = false;  ///< of its account
  bool is_stale = false;  ///< last_seen_at is old enough to be updated
};

class DeviceStore {
 public:
  DeviceStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  /// The live device with this key, if its account is enabled.
  std::optional<LiveDevice> Find(const std::string& key_hash, std::string_view kind);
  /// Sets last_seen_at to now; does nothing while another transaction holds the row.
  void Touch(DeviceId device);
  /// At most `live_limit` devices of the kind stay live, including this one; the least recently used are
  /// revoked. `live_limit` revoked ones are kept for the record. The caller holds the account's login lock.
  DeviceId Add(const NewDevice& device, int live_limit);
  /// Adds a key that another server has issued to devices of this account. False: it exists already and is
  /// unchanged.
  bool AddForeign(std::string_view kind, std::string_view name, const std::string& key_hash);
  /// Oldest first, revoked ones too.
  void List(const std::function<void(const Device&)>& device);
  /// False: no live device with that id.
  bool Revoke(DeviceId device);
  /// Renames the device in the owner's list. False: no live device with that id.
  bool Rename(DeviceId device, std::string_view name);
  /// Returns how many were live.
  std::int64_t RevokeAll();
  /// Revokes all but one. Returns the sessions among them (devices of the kind "refresh").
  std::vector<DeviceId> RevokeOthers(DeviceId kept);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::account
