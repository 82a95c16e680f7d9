// Order of a login, and why: waiting counts before anything is computed, so that refusing is cheap; the hash
// slot before the last look at the counts, so that attempts which waited together are not all let through;
// the hash without a transaction, as it takes longer than everything else; then one transaction that makes
// the device, and looks again whether the account is as it was.
#include "handlers/account/login_flow.h"

#include <optional>

#include "handlers/account/account_store.h"
#include "handlers/account/key_wire.h"
#include "handlers/account/known_keys.h"
#include "handlers/account/login_failure_store.h"
#include "handlers/account/name_wire.h"
#include "handlers/account/password.h"
#include "handlers/base/errors.h"
#include "sql/errors.h"

namespace syncline::account {
namespace {

// A class that logs in together waits; a flood is told to come back before it holds every slot of the server.
constexpr std::chrono::milliseconds kHashPatience{2000};
constexpr int kMaxDeviceNameCharacters = 100;

void RefuseEagerness(Context& context, const LoginSubjects& subjects) {
  const auto wait =
      context.Read<LoginFailureStore>([&](LoginFailureStore& failures) { return failures.Wait(subjects); });
  if (wait.count() > 0) throw Error(ErrorKind::kTooMany, "too_many_logins").RetryAfter(wait);
}

// The account, if this is its password. Counts nothing.
std::optional<Login> CheckPassword(Context& context, const LoginSubjects& subjects,
                                   const std::optional<std::string>& name, std::string_view password) {
  const HashSlot slot(kHashPatience);
  RefuseEagerness(context, subjects);
  std::optional<Login> login;
  if (name) {
    login = context.Read<AccountStore>([&](AccountStore& accounts) { return accounts.FindLogin(*name); });
  }
  const std::string& nobody = HashOfNobody(slot);
  const bool matches =
      PasswordMatches(slot, login ? login->password_hash : nobody, password.substr(0, kMaxPasswordBytes));
  if (!matches || !login || login->is_disabled || password.size() > kMaxPasswordBytes) return std::nullopt;
  return login;
}

}  // namespace

Identity LookUpKey(Context& context, std::string_view key, std::string_view kind) {
  const std::optional<ParsedKey> parsed = ParseKey(key);
  if (!parsed) throw Unauthenticated("bad_key", "not a key of ours");
  const auto device = context.ReadOnce<AccountStore>(
      [&](AccountStore& accounts) { return accounts.Devices(parsed->user).Find(parsed->hash, kind); });
  if (!device) throw Unauthenticated("bad_key", "unknown or revoked key, or account disabled");
  if (device->is_stale) {
    // Beside the route's access on purpose: a read stays a read. Nobody's request fails because a date was
    // not noted.
    try {
      context.WithDatabase([&](sql::Database& database) {
        database.Write([&](sql::Tx& tx) { DeviceStore(tx, parsed->user).Touch(device->id); });
      });
    } catch (const Error&) {
    }
  }
  return {parsed->user, device->id, device->is_admin ? Roles::kAdmin : Roles::kNone};
}

Identity AuthenticateKey(Context& context, std::string_view key, std::string_view kind) {
  static KnownKeys known;
  const auto now = KnownKeys::Clock::now();
  if (const auto identity = known.Find(key, kind, now)) return *identity;
  const Identity identity = LookUpKey(context, key, kind);
  known.Remember(key, kind, identity, now);
  return identity;
}

std::string LogIn(Context& context, std::string_view name, std::string_view password,
                  std::string_view remote_address, std::string_view kind, std::string_view device_name) {
  const LoginSubjects subjects = SubjectsOf(FoldedName(name), remote_address);
  RefuseEagerness(context, subjects);
  const auto login = CheckPassword(context, subjects, NormalName(name), password);
  if (!login) {
    context.Write<LoginFailureStore>([&](LoginFailureStore& failures) { failures.Count(subjects); });
    throw Unauthenticated("bad_login");
  }
  const NewKey key = MakeKey(login->user);
  const bool is_unchanged = context.Write<AccountStore, LoginFailureStore>(
      [&](AccountStore& accounts, LoginFailureStore& failures) {
        if (!accounts.LockLogin(*login)) return false;
        accounts.Devices(login->user)
            .Add(kind, ShortText(device_name, kMaxDeviceNameCharacters), key.hash, kLiveDevicesPerKind);
        failures.ClearPair(subjects);
        return true;
      });
  if (!is_unchanged) throw Unauthenticated("bad_login", "account changed during the login");
  return key.text;
}

}  // namespace syncline::account
