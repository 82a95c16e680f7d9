#pragma once
// The desktops that may send to a vault. Their keys are devices of the account (account/login/device_store.h), of the kind "socket".
//
// Locks: the vault's row, then devices.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/account/login/device_store.h"
#include "handlers/base/ids.h"
#include "handlers/vault/tree/vault_store.h"
#include "handlers/vault/versions/version_store.h"
#include "sql/tx.h"

namespace syncline::vault {

inline constexpr std::string_view kDeviceKeyKind = "socket";

struct VaultDevice {
  DeviceId id{};
  std::string name{};
  sql::Time created_at{};
  std::optional<sql::Time> last_seen_at{};    ///< accurate to some minutes
  std::optional<sql::Time> last_upload_at{};  ///< of one that was accepted
  std::optional<std::int64_t> last_version{};
};

class VaultDeviceStore {
 public:
  /// Live ones, of a vault.
  static constexpr int kMaxDevices = 50;

  VaultDeviceStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  /// A device with this key. The caller holds the vault's lock. Throws Error Conflict "too_many_devices".
  DeviceId Add(VaultId vault, std::string_view name, const std::string& key_hash);
  struct Place {
    VaultId vault{};
    std::string slug{};
  };
  /// The vault of a live device; none if it was removed.
  std::optional<Place> PlaceOf(DeviceId device);
  /// Live ones, oldest first.
  std::vector<VaultDevice> List(VaultId vault);
  /// Refuses its key from now on. False: the vault has no such live device.
  bool Remove(VaultId vault, DeviceId device);
  /// `version`: none if the content is not a new one.
  void NoteUpload(DeviceId device, std::optional<VersionId> version);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::vault
