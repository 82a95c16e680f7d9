#include "handlers/account/api_dialect.h"

#include <algorithm>
#include <string>

#include "handlers/account/login/authorization_flow.h"
#include "handlers/account/tokens/token_flow.h"
#include "handlers/base/input.h"
#include "handlers/base/json_writer.h"

namespace syncline::account {
namespace {

constexpr LoginScheme kSchemes[] = {{"bearer", AuthenticateBearer}, {"basic", AuthenticateAppPassword}};

constexpr CodeText kTexts[] = {
    {"login_required", "Log in first."},
    {"bad_token", "The token is not valid. Log in again."},
    {"token_expired", "The token has expired. Refresh it."},
    {"token_revoked", "This session was ended. Log in again."},
    {"bad_login", "Wrong name or password."},
    {"bad_key", "This app password was revoked, or is wrong."},
    {"app_password_required", "Here a login is an app password or a token, not the password of the account."},
    {"account_inactive", "The account is disabled. Ask the administrator of this server."},
    {"too_many_logins", "Too many wrong passwords. Wait a little."},
    {"too_many_requests", "Too many requests. Wait a little."},
    {"redis_unavailable", "The server is starting or busy. Try again in a moment."},
    {"database_unavailable", "The server is starting or busy. Try again in a moment."},
    {"bad_credentials", "The header Authorization cannot be read."},
    {"body_too_large", "The request has more bytes than this call accepts."},
    {"no_such_path", "There is nothing at this address."},
    {"internal",
     "Something went wrong on the server. Its administrator finds the cause by the request's id."},
};

}  // namespace

std::optional<Identity> AuthenticateApi(Request& request, Context& context) {
  return AuthenticateByHeader(request, context, kSchemes);
}

std::string ApiText(std::string_view code, std::span<const CodeText> texts) {
  for (const auto table : {texts, std::span<const CodeText>(kTexts)}) {
    const auto found =
        std::find_if(table.begin(), table.end(), [&](const CodeText& text) { return text.first == code; });
    if (found != table.end()) return std::string(found->second);
  }
  std::string words(code);
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

Response RenderApiError(const Error& error, const Request& request, std::span<const CodeText> texts) {
  const auto* input = dynamic_cast<const InputError*>(&error);
  JsonWriter json;
  json.Object()
      .Add("code", error.code())
      .Add("message", input != nullptr ? input->problems().front().message : ApiText(error.code(), texts))
      .Add("request_id", request.id);
  if (input != nullptr) {
    json.Array("problems");
    for (const InputProblem& problem : input->problems()) {
      json.Object()
          .Add("at", PointerOf(problem.place))
          .Add("in", problem.source)
          .Add("code", problem.type)
          .Add("message", problem.message)
          .End();
    }
    json.End();
  }
  const bool is_unreadable = error.code() == "json_invalid";
  Response response = Response::Json(
      input != nullptr && !is_unreadable ? StatusOf(ErrorKind::kUnprocessable) : StatusOf(error.kind()),
      json.Finish());
  if (error.kind() != ErrorKind::kUnauthenticated) return response;
  return std::move(response)
      .With("WWW-Authenticate", "Bearer realm=\"Syncline\"")
      .With("WWW-Authenticate", "Basic realm=\"Syncline\", charset=\"UTF-8\"");
}

}  // namespace syncline::account
