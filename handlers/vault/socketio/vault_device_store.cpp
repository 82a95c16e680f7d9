#include "handlers/vault/socketio/vault_device_store.h"

#include "handlers/account/login/login_flow.h"
#include "handlers/base/errors.h"
#include "sql/queries/vault.h"

namespace syncline::vault {

DeviceId VaultDeviceStore::Add(VaultId vault, std::string_view name, const std::string& key_hash) {
  if (List(vault).size() >= kMaxDevices) throw Conflict("too_many_devices");
  const DeviceId device =
      account::DeviceStore(tx_, user_)
          .Add({.kind = kDeviceKeyKind, .name = name, .key_hash = key_hash}, account::kLiveDevicesPerKind);
  tx_.Execute(sql::vault::insert_vault_device, user_, device, vault);
  return device;
}

std::optional<VaultDeviceStore::Place> VaultDeviceStore::PlaceOf(DeviceId device) {
  const auto row = tx_.MaybeOne(sql::vault::find_vault_device, user_, device);
  if (!row) return std::nullopt;
  return Place{(*row)["vault_id"].As<VaultId>(), (*row)["slug"].As<std::string>()};
}

std::vector<VaultDevice> VaultDeviceStore::List(VaultId vault) {
  std::vector<VaultDevice> devices;
  tx_.Each(
      sql::vault::list_vault_devices,
      [&](const sql::Row& row) {
        devices.push_back({.id = row["device_id"].As<DeviceId>(),
                           .name = row["name"].As<std::string>(),
                           .created_at = row["created_at"].As<sql::Time>(),
                           .last_seen_at = row["last_seen_at"].As<std::optional<sql::Time>>(),
                           .last_upload_at = row["last_upload_at"].As<std::optional<sql::Time>>(),
                           .last_version = row["last_version"].As<std::optional<std::int64_t>>()});
      },
      user_, vault);
  return devices;
}

bool VaultDeviceStore::Remove(VaultId vault, DeviceId device) {
  const auto place = PlaceOf(device);
  return place && place->vault == vault && account::DeviceStore(tx_, user_).Revoke(device);
}

void VaultDeviceStore::NoteUpload(DeviceId device, std::optional<VersionId> version) {
  tx_.Execute(sql::vault::note_device_upload, user_, device, version);
}

}  // namespace syncline::vault
