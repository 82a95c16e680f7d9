// Order of a login: check the counts before computing anything, so that a refusal is cheap; take the hash
// slot before checking the counts again, so that attempts that waited together are not all admitted; hash
// outside a transaction, because hashing takes longest; then create the device in one transaction that first
// checks that the account is unchanged.
#include "handlers/account/login/login_flow.h"

#include <optional>

#include "handlers/account/login/account_store.h"
#include "handlers/account/login/key_wire.h"
#include "handlers/account/login/known_keys.h"
#include "handlers/account/login/name_wire.h"
#include "handlers/account/login/password.h"
#include "handlers/base/errors.h"
#include "handlers/base/sha256.h"
#include "sql/errors.h"

namespace syncline::account {
namespace {

constexpr int kMaxDeviceNameCharacters = 100;

void RefuseEagerness(Context& context, const LoginSubjects& subjects) {
  const auto wait =
      context.Read<LoginFailureStore>([&](LoginFailureStore& failures) { return failures.Wait(subjects); });
  if (wait.count() > 0) throw Error(ErrorKind::kTooMany, "too_many_logins").RetryAfter(wait);
}

// Checking another server's hash takes a different time, which would reveal that the account exists. A hash
// of the password as typed, instead of its normal form, would refuse the same password from another system.
void ReplaceHash(Context& context, Login& login, const std::string& hash) {
  const bool is_replaced = context.WithDatabase([&](sql::Database& database) {
    return database.Write([&](sql::Tx& tx) {
      AccountStore accounts(tx, UserId{});
      if (!accounts.LockLogin(login)) return false;
      accounts.SetPassword(login.user, hash);
      return true;
    });
  });
  if (is_replaced) login.password_hash = hash;
}

// The account if the password is correct. Does not count failures.
std::optional<Login> CheckPassword(Context& context, const LoginSubjects& subjects,
                                   const std::optional<std::string>& name, std::string_view password) {
  const HashSlot slot(kHashPatience);
  RefuseEagerness(context, subjects);
  std::optional<Login> login;
  if (name) {
    login = context.Read<AccountStore>([&](AccountStore& accounts) { return accounts.FindLogin(*name); });
  }
  const std::string& nobody = HashOfNobody(slot);
  const PasswordMatch match =
      MatchPassword(slot, login ? login->password_hash : nobody, password.substr(0, kMaxPasswordBytes));
  if (match == PasswordMatch::kNo || !login || password.size() > kMaxPasswordBytes) return std::nullopt;
  if (match == PasswordMatch::kAsTyped || IsForeignHash(login->password_hash))
    ReplaceHash(context, *login, HashPassword(slot, password));
  return login;
}

std::optional<std::pair<UserId, LiveDevice>> FindDevice(Context& context, std::string_view key,
                                                        std::string_view kind) {
  if (const auto parsed = ParseKey(key)) {
    const auto device = context.ReadOnce<AccountStore>(
        [&](AccountStore& accounts) { return accounts.Devices(parsed->user).Find(parsed->hash, kind); });
    return device ? std::optional(std::pair(parsed->user, *device)) : std::nullopt;
  }
  if (!IsForeignKey(key)) throw Unauthenticated("bad_key", "not a key of ours");
  const std::string hash = Sha256(key);
  return context.ReadOnce<AccountStore>(
      [&](AccountStore& accounts) { return accounts.FindForeignDevice(hash, kind); });
}

}  // namespace

Identity LookUpKey(Context& context, std::string_view key, std::string_view kind) {
  const auto found = FindDevice(context, key, kind);
  if (!found) throw Unauthenticated("bad_key", "unknown or revoked key, or account disabled");
  const UserId user = found->first;
  const LiveDevice& device = found->second;
  if (device.is_stale) TouchDevice(context, user, device.id);
  return {user, device.id, device.is_admin ? Roles::kAdmin : Roles::kNone};
}

Identity AuthenticateKey(Context& context, std::string_view key, std::string_view kind) {
  static KnownKeys known;
  const auto now = KnownKeys::Clock::now();
  if (const auto identity = known.Find(key, kind, now)) return *identity;
  const Identity identity = LookUpKey(context, key, kind);
  known.Remember(key, kind, identity, now);
  return identity;
}

void TouchDevice(Context& context, UserId user, DeviceId device) {
  try {
    context.WithDatabase([&](sql::Database& database) {
      database.Write([&](sql::Tx& tx) { DeviceStore(tx, user).Touch(device); });
    });
  } catch (const Error&) {
  }
}

Login CheckLogin(Context& context, std::string_view name, std::string_view password,
                 std::string_view remote_address) {
  const LoginSubjects subjects = SubjectsOf(FoldedName(name), remote_address);
  RefuseEagerness(context, subjects);
  const auto login = CheckPassword(context, subjects, NormalName(name), password);
  if (login && login->is_disabled) throw Forbidden("account_inactive");
  if (login) return *login;
  context.WithDatabase([&](sql::Database& database) {
    database.Write([&](sql::Tx& tx) { LoginFailureStore(tx, UserId{}).Count(subjects); });
  });
  throw Unauthenticated("bad_login");
}

std::string LogIn(Context& context, std::string_view name, std::string_view password,
                  std::string_view remote_address, std::string_view kind, std::string_view device_name) {
  const Login login = CheckLogin(context, name, password, remote_address);
  const NewKey key = MakeKey(login.user);
  AddDevice(context, login, {kind, device_name, key.hash}, SubjectsOf(FoldedName(name), remote_address));
  return key.text;
}

DeviceId AddDevice(Context& context, const Login& login, const NewDevice& device,
                   const std::optional<LoginSubjects>& subjects) {
  NewDevice named = device;
  const std::string name = ShortText(device.name, kMaxDeviceNameCharacters);
  named.name = name;
  const auto added = context.Write<AccountStore, LoginFailureStore>(
      [&](AccountStore& accounts, LoginFailureStore& failures) -> std::optional<DeviceId> {
        if (!accounts.LockLogin(login)) return std::nullopt;
        if (subjects) failures.ClearPair(*subjects);
        return accounts.Devices(login.user).Add(named, kLiveDevicesPerKind);
      });
  if (!added) throw Unauthenticated("bad_login", "account changed during the login");
  return *added;
}

}  // namespace syncline::account
