#include "handlers/account/tokens/token_flow.h"

#include <algorithm>
#include <optional>

#include "handlers/account/login/known_keys.h"
#include "handlers/account/login/login_flow.h"
#include "handlers/account/login/name_wire.h"
#include "handlers/account/login/registration_flow.h"
#include "handlers/account/settings.h"
#include "handlers/account/tokens/key_ring.h"
#include "handlers/account/tokens/known_tokens.h"
#include "handlers/account/tokens/token_store.h"
#include "handlers/base/header_values.h"
#include "handlers/base/log.h"
#include "handlers/base/sha256.h"

namespace syncline::account {
namespace {

using std::chrono::seconds;

constexpr const char* kSessionKind = "refresh";
// No access token lives longer.
constexpr seconds kLongestAccess{std::chrono::minutes(65)};

std::chrono::sys_seconds Now(Context& context) {
  return std::chrono::floor<seconds>(context.Now());
}

std::string DeniedToken(std::string_view id) {
  return std::string("blacklist:").append(id);
}
std::string DeniedSession(UserId user, DeviceId session) {
  return "session_revoked:" + std::to_string(static_cast<std::int64_t>(user)) + ":" +
         std::to_string(static_cast<std::int64_t>(session));
}

struct Denial {
  std::string key;
  seconds lifetime;
};

// The sessions are revoked already, so a failure here must not look like a failed request.
void DenyAll(Context& context, const std::vector<Denial>& denials) {
  try {
    for (const auto& [key, lifetime] : denials) {
      const auto at_least_one = std::max<std::int64_t>(lifetime.count(), 1);
      context.redis().Command({"SET", key, "1", "EX", std::to_string(at_least_one)});
    }
  } catch (const Error& error) {
    LogLine(LogLevel::kWarn).Add("event", "sessions_not_denied").Add("why", error.what()).Write();
  }
}

// `ring` is read before the database is changed: a failure after the commit would lose the client its new tokens.
Tokens MakeTokens(Context& context, const KeyRing& ring, Identity owner, const std::string& refresh_id,
                  TokenLifetimes lifetimes) {
  const TokenKey& key = ring.keys[ring.signing];
  const auto now = Now(context);
  const auto token = [&](TokenType type, const std::string& id, seconds lifetime) {
    return MakeToken({owner.user, owner.device, id, type, now, now + lifetime}, key);
  };
  return {token(TokenType::kAccess, NewTokenId(), lifetimes.access),
          token(TokenType::kRefresh, refresh_id, lifetimes.refresh), owner};
}

NewDevice SessionDevice(std::string_view name, const std::string& refresh_id, TokenLifetimes lifetimes) {
  return {kSessionKind, name, Sha256(refresh_id), lifetimes.refresh, lifetimes.is_refresh_kept};
}

std::string_view BearerToken(const Request& request) {
  const std::string_view value = request.Header("authorization").value_or("");
  return TrimmedBlanks(value.substr(std::min(value.find(' '), value.size())));
}

// The id of the refresh token that replaces this one: it cannot be guessed without the secret, and a repeated
// exchange gives the same one.
std::string RepeatableId(Context& context, const Claims& claims) {
  constexpr std::size_t kIdBytes = 16;
  return HexText(context.secret().Sign("refresh_id", claims.id).substr(0, kIdBytes));
}

Claims VerifiedClaims(Context& context, std::string_view token) {
  static KnownTokens known;
  const auto now = KnownTokens::Clock::now();
  if (auto claims = known.Find(token, now)) return *std::move(claims);
  const Claims claims = ReadToken(token, TokenKeys(context)->keys, Now(context));
  known.Remember(token, claims, now);
  return claims;
}

Claims AccessClaims(Context& context, std::string_view token) {
  if (token.empty()) throw Unauthenticated("bad_token", "no token");
  const Claims claims = VerifiedClaims(context, token);
  RequireToken(claims, TokenType::kAccess, Now(context));
  return claims;
}

bool IsDenied(Context& context, const Claims& claims) {
  const RedisReply denied =
      context.redis().Command({"EXISTS", DeniedToken(claims.id), DeniedSession(claims.user, claims.session)});
  return denied.integer > 0;
}

// The identity behind a live session, looked up every kKeyMemory.
Identity LiveSession(Context& context, const Claims& claims) {
  static KnownKeys known;
  const auto now = KnownKeys::Clock::now();
  const std::string name = DeniedSession(claims.user, claims.session);
  if (const auto identity = known.Find(name, kSessionKind, now)) return *identity;
  const FoundSession found = context.WithDatabase([&](sql::Database& database) {
    return database.ReadOnce([&](sql::Tx& tx) { return SessionStore(tx, claims.user).Find(claims.session); });
  });
  switch (found.state) {
    case SessionState::kNoUser:
      throw Unauthenticated("user_not_found");
    case SessionState::kDisabled:
      throw Forbidden("account_inactive");
    case SessionState::kRevoked:
      throw Unauthenticated("token_revoked");
    case SessionState::kLive:
      break;
  }
  if (found.is_stale) TouchDevice(context, claims.user, claims.session);
  const Identity identity{claims.user, claims.session, found.is_admin ? Roles::kAdmin : Roles::kNone};
  known.Remember(name, kSessionKind, identity, now);
  return identity;
}

}  // namespace

Tokens LogInForTokens(Context& context, std::string_view name, std::string_view password,
                      std::string_view remote_address, std::string_view device_name,
                      TokenLifetimes lifetimes) {
  const auto ring = TokenKeys(context);
  const std::string refresh_id = NewTokenId();
  const Login login = CheckLogin(context, name, password, remote_address);
  const DeviceId session = AddDevice(context, login, SessionDevice(device_name, refresh_id, lifetimes),
                                     SubjectsOf(FoldedName(name), remote_address));
  return MakeTokens(context, *ring, {login.user, session}, refresh_id, lifetimes);
}

Tokens RegisterForTokens(Context& context, const std::string& email, std::string_view password,
                         const std::optional<std::string>& invitation, std::string_view device_name,
                         TokenLifetimes lifetimes) {
  const auto ring = TokenKeys(context);
  const std::string refresh_id = NewTokenId();
  const auto [user, session] =
      Register(context, email, password, invitation, SessionDevice(device_name, refresh_id, lifetimes));
  return MakeTokens(context, *ring, {user, session}, refresh_id, lifetimes);
}

Tokens Refresh(Context& context, std::string_view refresh_token, TokenLifetimes lifetimes) {
  const auto now = Now(context);
  const auto ring = TokenKeys(context);
  const Claims claims = ReadToken(refresh_token, ring->keys, now);
  RequireToken(claims, TokenType::kRefresh, now);
  std::string next_id = lifetimes.repeatable ? RepeatableId(context, claims) : NewTokenId();
  const seconds grace =
      lifetimes.repeatable.value_or(seconds(context.config().Of<Settings>().refresh_grace_seconds));
  context.SetIdentity({claims.user, claims.session});
  const Rotation rotation = context.Write<SessionStore>([&](SessionStore& sessions) {
    return sessions.Rotate(claims.session, Sha256(claims.id), Sha256(next_id), lifetimes.refresh, grace);
  });
  if (rotation == Rotation::kReused || rotation == Rotation::kDisabled)
    DenySessions(context, {claims.session});
  switch (rotation) {
    case Rotation::kNoSession:
      throw Unauthenticated("refresh_not_found");
    case Rotation::kReused:
      throw Unauthenticated("refresh_reused");
    case Rotation::kDisabled:
      throw Forbidden("account_inactive");
    case Rotation::kKept:
      // With one id for all refresh tokens of the session, all of them stay valid.
      next_id = claims.id;
      break;
    case Rotation::kDone:
      break;
  }
  return MakeTokens(context, *ring, {claims.user, claims.session}, next_id, lifetimes);
}

void LogOut(Context& context, const Request& request) {
  const Claims claims = VerifiedClaims(context, BearerToken(request));
  context.Write<SessionStore>([&](SessionStore& sessions) { sessions.End(claims.session); });
  DenyAll(context, {{DeniedToken(claims.id), claims.expires_at - Now(context)},
                    {DeniedSession(claims.user, claims.session), kLongestAccess}});
}

bool RevokeDevice(Context& context, DeviceId device) {
  if (!context.Write<DeviceStore>([&](DeviceStore& devices) { return devices.Revoke(device); })) return false;
  // If it is of another kind, nobody has such a token.
  DenySessions(context, {device});
  return true;
}

bool EndSession(Context& context, DeviceId session) {
  if (!context.Write<SessionStore>([&](SessionStore& sessions) { return sessions.End(session); }))
    return false;
  DenySessions(context, {session});
  return true;
}

void EndSessions(Context& context) {
  DenySessions(context,
               context.Write<SessionStore>([](SessionStore& sessions) { return sessions.EndAll(); }));
}

void DenySessions(Context& context, const std::vector<DeviceId>& sessions) {
  std::vector<Denial> denials;
  for (const DeviceId session : sessions)
    denials.push_back({DeniedSession(context.user(), session), kLongestAccess});
  DenyAll(context, denials);
}

Identity AuthenticateBearer(std::string_view credentials, const Request&, Context& context) {
  const Claims claims = AccessClaims(context, credentials);
  if (IsDenied(context, claims)) throw Unauthenticated("token_revoked");
  return LiveSession(context, claims);
}

Identity AuthenticateBearerWithoutRedis(std::string_view credentials, const Request&, Context& context) {
  const Claims claims = AccessClaims(context, credentials);
  bool is_denied = false;
  try {
    is_denied = IsDenied(context, claims);
  } catch (const Error& error) {
    if (error.code() != "redis_unavailable") throw;
  }
  if (is_denied) throw Unauthenticated("token_revoked");
  return LiveSession(context, claims);
}

}  // namespace syncline::account
