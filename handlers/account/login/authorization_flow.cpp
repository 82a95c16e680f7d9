#include "handlers/account/login/authorization_flow.h"

#include <sodium.h>

#include <string>
#include <utility>

#include "handlers/account/login/account_store.h"
#include "handlers/account/login/key_wire.h"
#include "handlers/account/login/known_keys.h"
#include "handlers/account/login/known_passwords.h"
#include "handlers/account/login/login_flow.h"
#include "handlers/account/login/name_wire.h"
#include "handlers/base/base64.h"
#include "handlers/base/errors.h"
#include "handlers/base/header_values.h"

namespace syncline::account {
namespace {

// A name and a password of maximum length, in base64.
constexpr std::size_t kMaxCredentialBytes = 4096;

constexpr std::string_view kAppPassword = "app_password";

// Name and password.
std::pair<std::string, std::string> ReadBasic(std::string_view credentials) {
  std::optional<std::string> text;
  if (credentials.size() <= kMaxCredentialBytes)
    text = FromBase64(credentials, sodium_base64_VARIANT_ORIGINAL);
  if (!text) throw Unauthenticated("bad_credentials", "not base64");
  const std::size_t colon = text->find(':');
  if (colon == std::string::npos) throw Unauthenticated("bad_credentials", "no colon");
  return {text->substr(0, colon), text->substr(colon + 1)};
}

Identity IdentityOf(const Login& login) {
  return {login.user, DeviceId{}, login.is_admin ? Roles::kAdmin : Roles::kNone};
}

// The cached identity of this password, if the account still has it. Checks the database every kKeyMemory.
std::optional<Identity> AskKnown(KnownPasswords& passwords, Context& context, std::string_view name,
                                 std::string_view password) {
  const auto now = KnownPasswords::Clock::now();
  const std::string folded = FoldedName(name);
  auto known = passwords.Find(folded, password, now);
  if (!known) return std::nullopt;
  if (now - known->seen < kKeyMemory) return known->identity;
  const auto login = context.ReadOnce<AccountStore>(
      [&](AccountStore& accounts) { return accounts.FindLogin(NormalName(name).value_or("")); });
  if (!login || login->is_disabled || login->password_hash != known->password_hash) {
    passwords.Forget(folded, password);
    return std::nullopt;
  }
  known->identity = IdentityOf(*login);
  known->seen = now;
  passwords.Remember(folded, password, *known);
  return known->identity;
}

Identity AuthenticatePassword(Context& context, std::string_view name, std::string_view password,
                              std::string_view remote_address) {
  static KnownPasswords passwords;
  if (const auto identity = AskKnown(passwords, context, name, password)) return *identity;
  const auto now = KnownPasswords::Clock::now();
  const Login login = CheckLogin(context, name, password, remote_address);
  passwords.Remember(FoldedName(name), password, {IdentityOf(login), login.password_hash, now, now});
  return IdentityOf(login);
}

}  // namespace

std::optional<Identity> AuthenticateByHeader(const Request& request, Context& context,
                                             std::span<const LoginScheme> schemes) {
  const auto header = request.Header("authorization");
  if (!header) return std::nullopt;
  const std::string_view value = TrimmedBlanks(*header);
  const std::string name = LoweredAscii(value.substr(0, value.find(' ')));
  for (const LoginScheme& scheme : schemes) {
    if (scheme.name != name) continue;
    return scheme.authenticate(TrimmedBlanks(value.substr(name.size())), request, context);
  }
  throw Unauthenticated("bad_scheme");
}

Identity AuthenticateBasic(std::string_view credentials, const Request& request, Context& context) {
  const auto [name, password] = ReadBasic(credentials);
  if (ParseKey(password)) return AuthenticateKey(context, password, kAppPassword);
  return AuthenticatePassword(context, name, password, request.remote_address);
}

Identity AuthenticateAppPassword(std::string_view credentials, const Request&, Context& context) {
  const std::string password = ReadBasic(credentials).second;
  if (!ParseKey(password)) throw Unauthenticated("app_password_required");
  return AuthenticateKey(context, password, kAppPassword);
}

}  // namespace syncline::account
