#pragma once
// Logins in the header Authorization (RFC 9110, 11.6.2), for dialects: each has a table of the schemes that
// its clients use. Bearer is in tokens/token_flow.h. Left out: Digest, which needs passwords in clear.
#include <optional>
#include <span>
#include <string_view>

#include "handlers/base/context.h"
#include "handlers/base/request.h"

namespace syncline::account {

struct LoginScheme {
  std::string_view name;  ///< in lower case: "basic", "bearer"
  /// `credentials`: the rest of the header after the scheme. Throws Error Unauthenticated if they are not
  /// valid.
  Identity (*authenticate)(std::string_view credentials, const Request& request, Context& context);
};

/// For Dialect::authenticate: by the scheme that the request uses. None without the header. Error
/// Unauthenticated "bad_scheme" for one that is not listed. A dialect adds its own WWW-Authenticate.
std::optional<Identity> AuthenticateByHeader(const Request& request, Context& context,
                                             std::span<const LoginScheme> schemes);

/// Basic (RFC 7617) in UTF-8, with an app password or the password of the account.
///
/// An app password is a key of that kind and costs one lookup (AuthenticateKey); the name is not compared,
/// because the key identifies the account. The password of an account is hashed once in kPasswordMemory
/// (known_passwords.h) and looked up every kKeyMemory; the identity has no device. Throws Error
///   Unauthenticated "bad_credentials"  not base64, or no colon
///   Unauthenticated "bad_key"          as AuthenticateKey
///   Unauthenticated, TooMany, Busy     as LogIn: wrong passwords are counted and slowed down together with
///                                      those of logins
Identity AuthenticateBasic(std::string_view credentials, const Request& request, Context& context);

/// Basic with an app password only: for routes outside the pool `edge`, where no password may be hashed. Throws Error
/// Unauthenticated "bad_credentials", "bad_key" as above, "app_password_required" for the password of an account.
Identity AuthenticateAppPassword(std::string_view credentials, const Request& request, Context& context);

}  // namespace syncline::account
