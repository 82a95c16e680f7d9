#include "handlers/account/account_wire.h"

#include <variant>

#include "handlers/account/login/email_wire.h"
#include "handlers/account/login/password.h"
#include "handlers/base/timestamp.h"

namespace syncline::account {
namespace {

constexpr std::size_t kMaxInvitation = 100;

std::optional<std::string> Printed(const std::optional<sql::Time>& time) {
  return time ? std::optional(PrintTimestamp(*time)) : std::nullopt;
}

}  // namespace

std::string ReadEmail(const JsonValue& value) {
  auto email = NormalEmail(value.Text(kMaxAccountBody));
  if (const auto* bad = std::get_if<BadEmail>(&email)) {
    value.Refuse({"value_error", "value is not a valid email address: " + bad->reason,
                  JsonWriter().Object().Add("reason", bad->reason).Finish()});
    return {};
  }
  return std::get<std::string>(std::move(email));
}

std::string ReadPassword(const JsonValue& value) {
  return value.Text(kMaxAccountBody);
}

std::string ReadNewPassword(const JsonValue& value) {
  std::string password = value.Text(kMaxPasswordBytes, kMinPasswordBytes);
  if (password.size() > kMaxPasswordBytes) {
    const std::string limit = std::to_string(kMaxPasswordBytes);
    value.Refuse({"string_too_long", "String should have at most " + limit + " bytes",
                  JsonWriter().Object().Add("max_length", kMaxPasswordBytes).Finish()});
  }
  return password;
}

Credentials ReadCredentials(const JsonObject& in) {
  return {.email = ReadEmail(in["email"]), .password = ReadPassword(in["password"])};
}

NewCredentials ReadNewCredentials(const JsonObject& in) {
  return {.email = ReadEmail(in["email"]),
          .password = ReadNewPassword(in["password"]),
          .invitation = in.Maybe("invitation").Text(kMaxInvitation)};
}

std::string_view ClientName(const Request& request) {
  const std::string_view name = request.Header("user-agent").value_or("");
  return name.empty() ? "a client without a name" : name;
}

Response TokenAnswer(int status, const Tokens& tokens) {
  return Response::Json(status, JsonWriter()
                                    .Object()
                                    .Add("access_token", tokens.access)
                                    .Add("refresh_token", tokens.refresh)
                                    .Add("token_type", "bearer")
                                    .Finish());
}

std::string WriteUser(const OwnAccount& own) {
  return JsonWriter()
      .Object()
      .Add("id", static_cast<std::int64_t>(own.account.id))
      .Add("email", own.email.value_or(own.account.name))
      .Add("is_active", !own.account.is_disabled)
      .Add("created_at", PrintTimestamp(own.created_at))
      .Finish();
}

std::string WriteAccount(const OwnAccount& own, std::int64_t used_bytes) {
  return JsonWriter()
      .Object()
      .Add("id", static_cast<std::int64_t>(own.account.id))
      .Add("name", own.account.name)
      .Add("email", own.email)
      .Add("is_admin", own.account.is_admin)
      .Add("quota_bytes", own.account.quota_bytes)
      .Add("used_bytes", used_bytes)
      .Add("created_at", PrintTimestamp(own.created_at))
      .Add("deletes_at", Printed(own.deletes_at))
      .Finish();
}

std::string WriteDevices(Context& context, std::string_view kind) {
  return context.Read<DeviceStore>([&](DeviceStore& devices) {
    JsonWriter json;
    json.Array();
    devices.List([&](const Device& device) {
      if (device.revoked_at || (!kind.empty() && device.kind != kind)) return;
      json.Object()
          .Add("id", static_cast<std::int64_t>(device.id))
          .Add("kind", device.kind)
          .Add("name", device.name)
          .Add("created_at", PrintTimestamp(device.created_at))
          .Add("last_seen_at", Printed(device.last_seen_at))
          .Add("is_current", device.id == context.device())
          .End();
    });
    return json.Finish();
  });
}

}  // namespace syncline::account
