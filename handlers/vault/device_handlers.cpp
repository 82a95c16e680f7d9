#include "handlers/vault/device_handlers.h"

#include <string>

#include "handlers/base/errors.h"
#include "handlers/base/json.h"
#include "handlers/base/json_input.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/timestamp.h"
#include "handlers/vault/show_wire.h"
#include "handlers/vault/socketio/desktop_flow.h"

namespace syncline::vault {
namespace {

constexpr std::size_t kMaxName = 100, kMaxBody = 4 << 10;

DeviceId DeviceIn(const Request& request) {
  const auto id = WholeNumber(request.PathParam("device"));
  if (!id) throw NotFound("no_such_device");
  return DeviceId{*id};
}

}  // namespace

// GET: the live devices, whether they are connected, and what they have sent.
Response GetDevices(Request& request, Context& context) {
  const Vault vault = VaultOf(request, context);
  const auto devices =
      context.ReadOnce<VaultDeviceStore>([&](VaultDeviceStore& store) { return store.List(vault.id); });
  JsonWriter json;
  json.Object().Array("devices");
  for (const VaultDevice& device : devices) {
    const auto time = [](const std::optional<sql::Time>& at) {
      return at ? std::optional(PrintTimestamp(*at)) : std::nullopt;
    };
    json.Object()
        .Add("id", static_cast<std::int64_t>(device.id))
        .Add("name", device.name)
        .Add("presence", NameOf(PresenceOf(context, device.id)))
        .Add("created_at", PrintTimestamp(device.created_at))
        .Add("last_seen_at", time(device.last_seen_at))
        .Add("last_upload_at", time(device.last_upload_at))
        .Add("last_version", device.last_version)
        .End();
  }
  return Response::Json(200, json.Finish()).With("Cache-Control", "private, no-store");
}

// POST: a new device. Its key, and with it the namespace that holds the key, is in this answer only.
Response PostDevice(Request& request, Context& context) {
  const std::string name =
      ReadJson(request.ReadBody(kMaxBody), [](const JsonObject& in) { return in.Text("name", kMaxName, 1); });
  const NewVaultDevice device = AddVaultDevice(context, VaultOf(request, context).id, name);
  return Response::Json(201, JsonWriter()
                                 .Object()
                                 .Add("id", static_cast<std::int64_t>(device.id))
                                 .Add("name", name)
                                 .Add("key", device.key)
                                 .Add("namespace", NamespaceOf(device.key))
                                 .Finish())
      .With("Cache-Control", "private, no-store");
}

Response DeleteDevice(Request& request, Context& context) {
  if (!RemoveVaultDevice(context, VaultOf(request, context).id, DeviceIn(request)))
    throw NotFound("no_such_device");
  return Response::Empty();
}

// POST: the device is asked for its database at once.
Response PostDeviceRequest(Request& request, Context& context) {
  const Vault vault = VaultOf(request, context);
  const DeviceId device = DeviceIn(request);
  const auto of =
      context.ReadOnce<VaultDeviceStore>([&](VaultDeviceStore& devices) { return devices.PlaceOf(device); });
  if (!of || of->vault != vault.id) throw NotFound("no_such_device");
  if (!AskVaultDevice(context, device)) throw Conflict("device_not_connected");
  return Response::Empty(202);
}

}  // namespace syncline::vault
