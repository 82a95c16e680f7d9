#include "handlers/account/account_handlers.h"

#include <memory>
#include <utility>

#include "handlers/account/account_wire.h"
#include "handlers/account/login/key_wire.h"
#include "handlers/account/login/login_flow.h"
#include "handlers/account/login/name_wire.h"
#include "handlers/account/login/password.h"
#include "handlers/account/login/registration_flow.h"
#include "handlers/account/settings.h"
#include "handlers/account/tokens/token_flow.h"
#include "handlers/base/errors.h"
#include "handlers/base/json.h"
#include "handlers/base/zip_stream.h"

namespace syncline::account {
namespace {

constexpr int kMaxDeviceName = 100;

DeviceId IdOf(const Request& request) {
  const auto id = WholeNumber(request.PathParam("id"));
  if (!id) throw NotFound("no_such_device");
  return DeviceId{*id};
}

// A name that can be shown.
std::string ReadName(const JsonValue& value) {
  std::string name = ShortText(value.Text(kMaxDeviceName, 1), kMaxDeviceName);
  if (name.empty()) value.Refuse("value_error", "A name needs a visible character");
  return name;
}

// Changes the account of a caller who has just given its password, unless that was changed meanwhile.
template <typename Change>
void ChangeKnowing(Context& context, const Login& login, Change change) {
  context.Write<AccountStore>([&](AccountStore& accounts) {
    if (!accounts.LockLogin(login)) throw Unauthenticated("bad_login", "account changed meanwhile");
    change(accounts);
  });
}

std::string OwnJson(Context& context) {
  return context.Read<AccountStore>([&](AccountStore& accounts) {
    const auto own = accounts.Of(context.user());
    if (!own) throw AccountGone();
    return WriteAccount(*own, accounts.UsedBytes(context.user()));
  });
}

Response Own(Context& context) {
  return Response::Json(200, OwnJson(context));
}

}  // namespace

Response PostLoginByName(Request& request, Context& context) {
  struct Names {
    std::string name, password;
  };
  const Names in = ReadJson(request.ReadBody(kMaxAccountBody), [](const JsonObject& object) {
    return Names{.name = object.Text("name", kMaxAccountBody), .password = ReadPassword(object["password"])};
  });
  const Tokens tokens =
      LogInForTokens(context, in.name, in.password, request.remote_address, ClientName(request), {});
  return TokenAnswer(200, tokens);
}

Response GetRegistration(Request&, Context& context) {
  const Settings& settings = context.config().Of<Settings>();
  return Response::Json(200, JsonWriter()
                                 .Object()
                                 .Add("registration", settings.registration)
                                 .Add("min_password_bytes", static_cast<std::int64_t>(kMinPasswordBytes))
                                 .Add("deletion_days", settings.deletion_days)
                                 .Finish());
}

Response GetAccount(Request&, Context& context) {
  return Own(context);
}

Response PostEmail(Request& request, Context& context) {
  struct Change {
    std::string email, password;
  };
  const Change change = ReadJson(request.ReadBody(kMaxAccountBody), [](const JsonObject& in) {
    return Change{.email = ReadEmail(in["email"]), .password = ReadPassword(in["password"])};
  });
  ChangeKnowing(context, CheckOwnPassword(context, change.password, request.remote_address),
                [&](AccountStore& accounts) { accounts.SetEmail(context.user(), change.email); });
  return Own(context);
}

Response PostPassword(Request& request, Context& context) {
  struct Change {
    std::string now, next;
  };
  const Change change = ReadJson(request.ReadBody(kMaxAccountBody), [](const JsonObject& in) {
    return Change{.now = ReadPassword(in["password"]), .next = ReadNewPassword(in["new_password"])};
  });
  const Login login = CheckOwnPassword(context, change.now, request.remote_address);
  DenySessions(context, ChangePassword(context, login, change.next, context.device()));
  return Response::Empty();
}

Response GetDevices(Request&, Context& context) {
  return Response::Json(200, WriteDevices(context, ""));
}

Response PatchDevice(Request& request, Context& context) {
  const DeviceId device = IdOf(request);
  const std::string name =
      ReadJson(request.ReadBody(kMaxAccountBody), [](const JsonObject& in) { return ReadName(in["name"]); });
  if (!context.Write<DeviceStore>([&](DeviceStore& devices) { return devices.Rename(device, name); }))
    throw NotFound("no_such_device");
  return Response::Empty();
}

Response DeleteDevice(Request& request, Context& context) {
  if (!RevokeDevice(context, IdOf(request))) throw NotFound("no_such_device");
  return Response::Empty();
}

Response PostAppPassword(Request& request, Context& context) {
  struct Wanted {
    std::string name, password;
  };
  const Wanted wanted = ReadJson(request.ReadBody(kMaxAccountBody), [](const JsonObject& in) {
    return Wanted{.name = ReadName(in["name"]), .password = ReadPassword(in["password"])};
  });
  const NewKey key = MakeKey(context.user());
  const Login login = CheckOwnPassword(context, wanted.password, request.remote_address);
  const DeviceId device = AddDevice(context, login, {"app_password", wanted.name, key.hash}, std::nullopt);
  return Response::Json(201, JsonWriter()
                                 .Object()
                                 .Add("id", static_cast<std::int64_t>(device))
                                 .Add("name", wanted.name)
                                 .Add("app_password", key.text)
                                 .Finish());
}

// The files are opened before the first byte is sent, so that a failure until then gets a status.
Response GetExport(Request&, Context& context) {
  const auto files = std::make_shared<std::vector<ExportedFile>>();
  for (const Service* service : Services()) {
    if (service->export_files == nullptr) continue;
    for (ExportedFile& file : service->export_files(context)) files->push_back(std::move(file));
  }
  return Response::Stream([files](BodySink& sink) {
           ZipStream zip(sink);
           for (const ExportedFile& file : *files) zip.Add(file.name, file.write);
           zip.Finish();
         })
      .With("Content-Disposition", "attachment; filename=\"syncline.zip\"");
}

std::vector<ExportedFile> ExportFiles(Context& context) {
  std::string text = JsonWriter()
                         .Object()
                         .Add("account", RawJson{OwnJson(context)})
                         .Add("devices", RawJson{WriteDevices(context, "")})
                         .Finish();
  return {{"account/account.json", [text = std::move(text)](BodySink& sink) { sink.Write(text); }}};
}

Response PostDeletion(Request& request, Context& context) {
  const std::string password = ReadJson(request.ReadBody(kMaxAccountBody),
                                        [](const JsonObject& in) { return ReadPassword(in["password"]); });
  const std::int64_t days = context.config().Of<Settings>().deletion_days;
  ChangeKnowing(context, CheckOwnPassword(context, password, request.remote_address),
                [&](AccountStore& accounts) { accounts.SetDeletion(context.user(), days); });
  return Own(context);
}

Response DeleteDeletion(Request&, Context& context) {
  context.Write<AccountStore>(
      [&](AccountStore& accounts) { accounts.SetDeletion(context.user(), std::nullopt); });
  return Own(context);
}

}  // namespace syncline::account
