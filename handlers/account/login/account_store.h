#pragma once
// Accounts: the table users, shared by all tenants because it maps names to users.
//
// The only store that is not opened for one user, because it determines the user. Everything that belongs to
// an account goes through Devices(user) and the stores of the services.
//
// Locks: a login locks its row of users, then rows of devices. Code that locks rows in a service's own tables
// does so before it locks users (BlobRefs::Add needs that).
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "handlers/account/login/device_store.h"
#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::account {

struct Account {
  UserId id{};
  std::string name;
  bool is_admin = false;
  bool is_disabled = false;
  std::optional<std::int64_t> quota_bytes;  ///< none: unlimited
};

/// An account as `syncline-admin user list` shows it.
struct AccountSummary {
  Account account;
  std::int64_t devices = 0;  ///< live ones
  std::int64_t used_bytes = 0;
  std::optional<sql::Time> last_seen_at;
};

/// The account's view of itself.
struct OwnAccount {
  Account account;
  std::optional<std::string> email;
  sql::Time created_at;
  std::optional<sql::Time>
      deletes_at;  ///< its owner has deleted it; until this time the deletion can be cancelled
};

struct NewAccount {
  std::string_view name;
  /// That of a name with an @, unchanged; no other account may then use it.
  std::optional<std::string> email{};
  std::string password_hash;
  bool is_admin = false;
  std::optional<std::int64_t> quota_bytes{};
};

struct Login {
  UserId user{};
  std::string password_hash;
  bool is_disabled = false;
  bool is_admin = false;
};

class AccountStore {
 public:
  /// The user is ignored: see the head of this file.
  AccountStore(sql::Tx& tx, UserId /*asking*/) : tx_(tx) {}

  /// Names are compared case-insensitively and must be normalised (NormalName in name_wire.h).
  std::optional<Login> FindLogin(std::string_view name);
  std::optional<Account> Find(std::string_view name);
  /// One statement.
  std::optional<OwnAccount> Of(UserId user);
  /// The bytes that it uses in all services. Sums up its usage, so call it only to display it.
  std::int64_t UsedBytes(UserId user);
  void List(const std::function<void(const AccountSummary&)>& account);
  /// Error Conflict "name_taken" or "email_taken", also if its name is the address of another account or vice
  /// versa.
  UserId Add(const NewAccount& account);
  void SetPassword(UserId user, const std::string& password_hash);
  /// Also changes the name if that was the address. Error Conflict "email_taken".
  void SetEmail(UserId user, const std::string& email);
  /// `days`: none cancels a scheduled deletion. Throws AccountGone if the account is disabled.
  void SetDeletion(UserId user, std::optional<std::int64_t> days);
  /// Accounts whose deletion is due, at most `limit`.
  std::vector<UserId> Deleted(int limit);
  /// Disables an account whose deletion is due. False: its owner has cancelled the deletion.
  bool BeginRemoval(UserId user);
  void SetDisabled(UserId user, bool is_disabled);
  void SetQuota(UserId user, std::optional<std::int64_t> quota_bytes);

  /// Deletes up to `batch` of the account's rows in any service. Returns how many; 0: only the account itself
  /// is left.
  std::int64_t RemoveRows(UserId user, int batch);
  /// Deletes the account itself and, by cascade, rows added since the last RemoveRows.
  void Remove(UserId user);

  /// Serialises the logins of one account. False: it was disabled or its password changed since FindLogin.
  bool LockLogin(const Login& login);

  /// The live device with this key of another server (IsForeignKey in key_wire.h), if its account is enabled.
  std::optional<std::pair<UserId, LiveDevice>> FindForeignDevice(const std::string& key_hash,
                                                                 std::string_view kind);

  DeviceStore Devices(UserId user) { return {tx_, user}; }

 private:
  /// Until the transaction ends, nobody else can take this name or address. Error Conflict `code` if another account has it.
  void RequireFree(UserId owner, std::string_view name, const char* code);

  sql::Tx& tx_;
};

}  // namespace syncline::account
