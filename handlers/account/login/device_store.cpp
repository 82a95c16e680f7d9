#include "handlers/account/login/device_store.h"

#include "sql/queries/account.h"

namespace syncline::account {

std::optional<LiveDevice> DeviceStore::Find(const std::string& key_hash, std::string_view kind) {
  const auto row = tx_.MaybeOne(sql::account::find_device, user_, key_hash, kind);
  if (!row) return std::nullopt;
  return LiveDevice{(*row)["device_id"].As<DeviceId>(), (*row)["is_admin"].As<bool>(),
                    (*row)["is_stale"].As<bool>()};
}

void DeviceStore::Touch(DeviceId device) {
  tx_.Execute(sql::account::touch_device, user_, device);
}

DeviceId DeviceStore::Add(const NewDevice& device, int live_limit) {
  // Make room first, so that the new device is never among those removed.
  tx_.Later(sql::account::revoke_surplus_devices, user_, device.kind, live_limit - 1);
  tx_.Later(sql::account::forget_revoked_devices, user_, device.kind, live_limit);
  const auto lifetime = device.lifetime ? std::optional(device.lifetime->count()) : std::nullopt;
  return tx_
      .One(sql::account::insert_device, user_, device.kind, device.name, device.key_hash, lifetime,
           device.is_kept)["device_id"]
      .As<DeviceId>();
}

bool DeviceStore::AddForeign(std::string_view kind, std::string_view name, const std::string& key_hash) {
  return tx_.Execute(sql::account::insert_foreign_device, user_, kind, name, key_hash) == 1;
}

void DeviceStore::List(const std::function<void(const Device&)>& device) {
  tx_.Each(
      sql::account::list_devices,
      [&](const sql::Row& row) {
        device({row["device_id"].As<DeviceId>(), row["kind"].As<std::string>(), row["name"].As<std::string>(),
                row["created_at"].As<sql::Time>(), row["last_seen_at"].As<std::optional<sql::Time>>(),
                row["revoked_at"].As<std::optional<sql::Time>>()});
      },
      user_);
}

bool DeviceStore::Revoke(DeviceId device) {
  return tx_.Execute(sql::account::revoke_device, user_, device) == 1;
}

bool DeviceStore::Rename(DeviceId device, std::string_view name) {
  return tx_.Execute(sql::account::rename_device, user_, device, name) == 1;
}

std::vector<DeviceId> DeviceStore::RevokeOthers(DeviceId kept) {
  return tx_.Query(sql::account::revoke_other_devices, user_, kept).Column<DeviceId>("device_id");
}

std::int64_t DeviceStore::RevokeAll() {
  return tx_.Execute(sql::account::revoke_all_devices, user_);
}

}  // namespace syncline::account
