#include "handlers/account/session_handlers.h"

#include "handlers/account/account_wire.h"
#include "handlers/account/tokens/token_flow.h"
#include "handlers/base/errors.h"
#include "handlers/base/json.h"
#include "handlers/base/json_body.h"

namespace syncline::account {

Response PostRegister(Request& request, Context& context) {
  const NewCredentials in = ReadJsonBody(request, ReadNewCredentials);
  return TokenAnswer(
      201, RegisterForTokens(context, in.email, in.password, in.invitation, ClientName(request), {}));
}

Response PostLogin(Request& request, Context& context) {
  const Credentials in = ReadJsonBody(request, ReadCredentials);
  return TokenAnswer(
      200, LogInForTokens(context, in.email, in.password, request.remote_address, ClientName(request), {}));
}

Response PostRefresh(Request& request, Context& context) {
  const std::string token =
      ReadJsonBody(request, [](const JsonObject& in) { return in.Text("refresh_token", kMaxAccountBody); });
  return TokenAnswer(200, Refresh(context, token, {}));
}

Response PostLogout(Request& request, Context& context) {
  LogOut(context, request);
  return Response::Json(200, JsonWriter().Object().Add("message", "logged out").Finish());
}

Response PostLogoutAll(Request&, Context& context) {
  EndSessions(context);
  return Response::Json(200, JsonWriter().Object().Add("message", "logged out").Finish());
}

Response GetSessions(Request&, Context& context) {
  return Response::Json(200, WriteDevices(context, "refresh"));
}

Response DeleteSession(Request& request, Context& context) {
  const auto id = WholeNumber(request.PathParam("sid"));
  if (!id || !EndSession(context, DeviceId{*id})) throw NotFound("no_such_session");
  return Response::Empty();
}

Response GetMe(Request&, Context& context) {
  const auto own =
      context.ReadOnce<AccountStore>([&](AccountStore& accounts) { return accounts.Of(context.user()); });
  if (!own) throw Unauthenticated("user_not_found");
  return Response::Json(200, WriteUser(*own));
}

}  // namespace syncline::account
