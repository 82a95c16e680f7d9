#include "handlers/schedule/session_handlers.h"

#include "handlers/account/account_wire.h"
#include "handlers/account/tokens/token_flow.h"
#include "handlers/base/json_body.h"
#include "handlers/schedule/profile_wire.h"

namespace syncline::schedule {
namespace {

using namespace std::chrono_literals;

// Neither the page nor any script stores the refresh token that comes with a new access token.
constexpr account::TokenLifetimes kLifetimes{.access = 1h, .refresh = 24h * 7, .is_refresh_kept = true};
constexpr std::size_t kMaxToken = 4096;

void AddOwnUser(JsonWriter& json, Context& context) {
  const auto [own, profile] = context.Read<account::AccountStore, ProfileStore>(
      [&](account::AccountStore& accounts, ProfileStore& profiles) {
        return std::pair(accounts.Of(context.user()), profiles.Own());
      });
  if (!own) throw Unauthenticated("user_not_found");
  AddUser(json, *own, profile);
}

Response UserAnswer(Context& context) {
  JsonWriter json;
  AddOwnUser(json, context);
  return Response::Json(200, json.Finish()).With("Cache-Control", "private, no-cache");
}

}  // namespace

// POST /api/auth/login -- `email` is the account's address or its name. 400 for a refusal: the page treats
// any 401 as an expired token.
Response PostLogin(Request& request, Context& context) {
  const LoginCredentials in = ReadJsonBody(request, ReadLoginCredentials);
  const account::Tokens tokens = account::LogInForTokens(
      context, in.email, in.password, request.remote_address, account::ClientName(request), kLifetimes);
  context.SetIdentity(account::AuthenticateBearerWithoutRedis(tokens.access, request, context));
  JsonWriter json;
  json.Object().Add("refresh", tokens.refresh).Add("access", tokens.access);
  JsonWriter user;
  AddOwnUser(user, context);
  return Response::Json(200, json.Add("user", RawJson{user.Finish()}).Finish())
      .With("Cache-Control", "no-store");
}

// POST /api/auth/token/refresh -- a token from this login stays valid until it expires; one from another
// login is valid for one exchange, as everywhere.
Response PostTokenRefresh(Request& request, Context& context) {
  const std::string token =
      ReadJsonBody(request, [](const JsonObject& in) { return in.Text("refresh", kMaxToken, 1); });
  const account::Tokens tokens = account::Refresh(context, token, kLifetimes);
  return Response::Json(
             200, JsonWriter().Object().Add("access", tokens.access).Add("refresh", tokens.refresh).Finish())
      .With("Cache-Control", "no-store");
}

// GET /api/auth/profile
Response GetProfile(Request&, Context& context) {
  return UserAnswer(context);
}

// PATCH /api/auth/profile -- the group, the subgroup and the names; anything else in the body is ignored.
Response PatchProfile(Request& request, Context& context) {
  const ProfileChange change = ReadJsonBody(request, ReadProfileChange);
  const bool is_known = change.IsEmpty() || context.Write<ProfileStore>([&](ProfileStore& profiles) {
    return profiles.Change(change);
  });
  if (!is_known) throw InputError(std::vector<InputProblem>{{.type = "unknown_row", .place = {"group"}}});
  return UserAnswer(context);
}

}  // namespace syncline::schedule
