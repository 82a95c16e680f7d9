#include "handlers/account/login/account_store.h"

#include "handlers/base/errors.h"
#include "sql/queries/account.h"

namespace syncline::account {

std::optional<Login> AccountStore::FindLogin(std::string_view name) {
  const auto row = tx_.MaybeOne(sql::account::find_login, name);
  if (!row) return std::nullopt;
  return Login{(*row)["user_id"].As<UserId>(), (*row)["password_hash"].As<std::string>(),
               (*row)["is_disabled"].As<bool>(), (*row)["is_admin"].As<bool>()};
}

std::optional<Account> AccountStore::Find(std::string_view name) {
  const auto row = tx_.MaybeOne(sql::account::find_user, name);
  if (!row) return std::nullopt;
  return Account{(*row)["user_id"].As<UserId>(), (*row)["name"].As<std::string>(),
                 (*row)["is_admin"].As<bool>(), (*row)["is_disabled"].As<bool>(),
                 (*row)["quota_bytes"].As<std::optional<std::int64_t>>()};
}

std::optional<OwnAccount> AccountStore::Of(UserId user) {
  const auto row = tx_.MaybeOne(sql::account::find_own_account, user);
  if (!row) return std::nullopt;
  return OwnAccount{
      {user, (*row)["name"].As<std::string>(), (*row)["is_admin"].As<bool>(),
       (*row)["is_disabled"].As<bool>(), (*row)["quota_bytes"].As<std::optional<std::int64_t>>()},
      (*row)["email"].As<std::optional<std::string>>(),
      (*row)["created_at"].As<sql::Time>(),
      (*row)["deletes_at"].As<std::optional<sql::Time>>()};
}

std::int64_t AccountStore::UsedBytes(UserId user) {
  return tx_.One(sql::account::used_bytes, user)["bytes"].As<std::int64_t>();
}

void AccountStore::List(const std::function<void(const AccountSummary&)>& account) {
  tx_.Each(sql::account::list_users, [&](const sql::Row& row) {
    account({{row["user_id"].As<UserId>(), row["name"].As<std::string>(), row["is_admin"].As<bool>(),
              row["is_disabled"].As<bool>(), row["quota_bytes"].As<std::optional<std::int64_t>>()},
             row["devices"].As<std::int64_t>(),
             row["used_bytes"].As<std::int64_t>(),
             row["last_seen_at"].As<std::optional<sql::Time>>()});
  });
}

UserId AccountStore::Add(const NewAccount& account) {
  if (account.email) RequireFree(UserId{}, *account.email, "email_taken");
  RequireFree(UserId{}, account.name, "name_taken");
  return tx_
      .One(sql::account::insert_user, account.name, account.email, account.password_hash, account.is_admin,
           account.quota_bytes)["user_id"]
      .As<UserId>();
}

void AccountStore::RequireFree(UserId owner, std::string_view name, const char* code) {
  tx_.One(sql::account::lock_names);
  if (tx_.MaybeOne(sql::account::find_others_name, owner, name)) throw Conflict(code);
}

void AccountStore::SetPassword(UserId user, const std::string& password_hash) {
  tx_.Execute(sql::account::set_password, user, password_hash);
}

void AccountStore::SetEmail(UserId user, const std::string& email) {
  RequireFree(user, email, "email_taken");
  tx_.Execute(sql::account::set_email, user, email);
}

void AccountStore::SetDeletion(UserId user, std::optional<std::int64_t> days) {
  if (tx_.Execute(sql::account::set_deletion, user, days) == 0) throw AccountGone();
}

std::vector<UserId> AccountStore::Deleted(int limit) {
  return tx_.Query(sql::account::deleted_accounts, limit).Column<UserId>("user_id");
}

bool AccountStore::BeginRemoval(UserId user) {
  return tx_.Execute(sql::account::begin_removal, user) == 1;
}

void AccountStore::SetDisabled(UserId user, bool is_disabled) {
  tx_.Execute(sql::account::set_disabled, user, is_disabled);
}

void AccountStore::SetQuota(UserId user, std::optional<std::int64_t> quota_bytes) {
  tx_.Execute(sql::account::set_quota, user, quota_bytes);
}

std::int64_t AccountStore::RemoveRows(UserId user, int batch) {
  return tx_.One(sql::account::delete_user_rows, user, batch)["deleted"].As<std::int64_t>();
}

void AccountStore::Remove(UserId user) {
  tx_.Execute(sql::account::delete_user, user);
}

bool AccountStore::LockLogin(const Login& login) {
  return tx_.MaybeOne(sql::account::lock_login, login.user, login.password_hash).has_value();
}

std::optional<std::pair<UserId, LiveDevice>> AccountStore::FindForeignDevice(const std::string& key_hash,
                                                                             std::string_view kind) {
  const auto row = tx_.MaybeOne(sql::account::find_foreign_device, key_hash, kind);
  if (!row) return std::nullopt;
  return std::pair((*row)["user_id"].As<UserId>(),
                   LiveDevice{(*row)["device_id"].As<DeviceId>(), (*row)["is_admin"].As<bool>(),
                              (*row)["is_stale"].As<bool>()});
}

}  // namespace syncline::account
