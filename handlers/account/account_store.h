#pragma once
// Accounts: the table users, shared by all tenants because it is where a name becomes a user.
//
// The only store that is not opened for one user: it finds out who that is. What belongs to an account goes
// through Devices(user) and the stores of the services.
//
// Locks: a login locks its row of users, then rows of devices. Whoever takes a lock in a service's own tables
// takes it before the one in users (BlobRefs::Add needs that).
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "handlers/account/device_store.h"
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

/// An account as the administrator's list shows it.
struct AccountSummary {
  Account account;
  std::int64_t devices = 0;  ///< live ones
  std::int64_t used_bytes = 0;
  std::optional<sql::Time> last_seen_at;
};

struct Login {
  UserId user{};
  std::string password_hash;
  bool is_disabled = false;
};

class AccountStore {
 public:
  /// The user is ignored: see the head of this file.
  AccountStore(sql::Tx& tx, UserId /*asking*/) : tx_(tx) {}

  /// Names are compared without case and must be normal (name_wire.h).
  std::optional<Login> FindLogin(std::string_view name);
  std::optional<Account> Find(std::string_view name);
  void List(const std::function<void(const AccountSummary&)>& account);
  /// Error Conflict "name_taken".
  UserId Add(std::string_view name, const std::string& password_hash, bool is_admin,
             std::optional<std::int64_t> quota_bytes);
  void SetPassword(UserId user, const std::string& password_hash);
  void SetDisabled(UserId user, bool is_disabled);
  void SetQuota(UserId user, std::optional<std::int64_t> quota_bytes);

  /// One step of removing an account: up to `batch` of its rows in any service. 0: nothing is left but the
  /// account.
  std::int64_t RemoveRows(UserId user, int batch);
  /// The account itself, and by cascade what came since the last RemoveRows.
  void Remove(UserId user);

  /// Serialises the logins of one account. False: it was disabled or got another password since FindLogin.
  bool LockLogin(const Login& login);

  DeviceStore Devices(UserId user) { return {tx_, user}; }

 private:
  sql::Tx& tx_;
};

}  // namespace syncline::account
