#pragma once
// Sessions with tokens: a login returns an access token, which is valid for minutes and is checked without
// its session's secret, and a refresh token, which can be exchanged once for two new ones. A session is a
// device of the kind "refresh": listed, named and revoked like any other key.
//
// A logout, or a refresh token that comes twice, ends the session: its row in PostgreSQL is revoked, and its access tokens
// are denied in Redis until they expire, so that every process refuses them at once; the row alone would take kKeyMemory.
// Without Redis no access token is accepted (503).
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "handlers/account/login/account_store.h"
#include "handlers/account/tokens/token_wire.h"
#include "handlers/base/context.h"
#include "handlers/base/detail_errors.h"
#include "handlers/base/request.h"

namespace syncline::account {

/// Texts of the codes below for FastAPI-style dialects, as clients of the anime tracker expect them.
inline constexpr DetailText kTokenTexts[] = {
    {"bad_scheme", "Not authenticated"},
    {"bad_token", "Invalid token"},
    {"token_expired", "Token has expired"},
    {"bad_token_type", "Invalid token type"},
    {"token_revoked", "Token has been revoked"},
    {"user_not_found", "User not found"},
    {"account_gone", "User not found"},
    {"account_inactive", "Account is inactive"},
    {"refresh_not_found", "Refresh token not found, please login again"},
    {"refresh_reused", "Refresh token mismatch, please login again"},
};

/// Fixed by each protocol, because its clients rely on the lifetimes.
struct TokenLifetimes {
  std::chrono::seconds access{std::chrono::minutes(15)};     ///< at most 65 minutes
  std::chrono::seconds refresh{std::chrono::hours(24 * 7)};  ///< renewed by each exchange; at most kKeyKept
  /// Set at the login: whether the session's refresh token stays valid after an exchange until it expires, on
  /// any route: for clients that never store the new one. Theft of such a token cannot be detected. Otherwise
  /// it is valid for one exchange.
  bool is_refresh_kept = false;
  /// How long an exchange may be repeated with the same new refresh token as the result, so that clients that
  /// refresh twice at once, or lose the answer, stay logged in. None: account_refresh_grace_seconds, with
  /// another new token each time.
  std::optional<std::chrono::seconds> repeatable{};
};

struct Tokens {
  std::string access, refresh;
  Identity owner{};  ///< the account and the session, without roles
};

/// Checks a password and begins a session. Throws as LogIn.
Tokens LogInForTokens(Context& context, std::string_view name, std::string_view password,
                      std::string_view remote_address, std::string_view device_name,
                      TokenLifetimes lifetimes);

/// Creates an account and begins its first session. Throws as Register.
Tokens RegisterForTokens(Context& context, const std::string& email, std::string_view password,
                         const std::optional<std::string>& invitation, std::string_view device_name,
                         TokenLifetimes lifetimes);

/// Exchanges a refresh token. Throws Error
///   Unauthenticated "bad_token", "token_expired", "bad_token_type"   as ReadToken and RequireToken
///   Unauthenticated "refresh_not_found"   its session has ended, or its account is gone
///   Unauthenticated "refresh_reused"      it was exchanged before: somebody else may have it, so the session has ended
///   Forbidden "account_inactive"          and the session has ended
Tokens Refresh(Context& context, std::string_view refresh_token, TokenLifetimes lifetimes);

/// Ends the session of the access token in the header Authorization, which was authenticated before. That token is also
/// denied by its id in Redis, `blacklist:{jti}`, which the protocol of the anime tracker promises.
void LogOut(Context& context, const Request& request);

/// Revokes a device of the caller; if it is a session, its access tokens are denied at once. False: no live device with
/// that id.
bool RevokeDevice(Context& context, DeviceId device);
/// The same for one session, and for all sessions of the caller.
bool EndSession(Context& context, DeviceId session);
void EndSessions(Context& context);

/// Denies the access tokens of sessions of the caller at once, after they were revoked in the database. Without Redis they
/// are refused after kKeyMemory.
void DenySessions(Context& context, const std::vector<DeviceId>& sessions);

/// For LoginScheme: the access token of a session. Throws Error
///   Unauthenticated "bad_token", "token_expired", "bad_token_type"   as above
///   Unauthenticated "token_revoked"    its session has ended
///   Unauthenticated "user_not_found"   its account is gone
///   Forbidden "account_inactive"
///   Busy                               without Redis or PostgreSQL
Identity AuthenticateBearer(std::string_view credentials, const Request& request, Context& context);

/// The same, for services that work without Redis: a session that has ended is then refused after kKeyMemory instead of at
/// once.
Identity AuthenticateBearerWithoutRedis(std::string_view credentials, const Request& request,
                                        Context& context);

}  // namespace syncline::account
