#pragma once
// What the Cordiax desktop and better clients of it do over Socket.IO, in the namespace /cordiax-sync/: the layer above Engine.IO
// (engineio/polling_flow.h). The README of the service has the events.
//
// The desktop (python-socketio 5.11 and 5.16, polling) never asks: it sends its database when it gets sync_request, and only later than a
// second after it has joined. Any process serves any step; what lasts is in the session's fields.
#include <functional>
#include <string>
#include <string_view>

#include "handlers/base/context.h"
#include "handlers/vault/engineio/polling_flow.h"
#include "handlers/vault/socketio/vault_device_store.h"

namespace syncline::vault {

extern const MessageLayer kDesktopLayer;

/// The sessions as this installation has them.
SessionRules RulesOf(const Context& context);

/// A device for the context's user. Its key, which is never shown again. Throws as VaultDeviceStore::Add, NotFound "no_such_vault".
struct NewVaultDevice {
  DeviceId id{};
  std::string key{};
};
NewVaultDevice AddVaultDevice(Context& context, VaultId vault, std::string_view name);

/// Refuses the device from now on, and ends its sessions. False: the vault has no such device.
bool RemoveVaultDevice(Context& context, VaultId vault, DeviceId device);

/// Asks the newest session of the device for its database at once, even if the device is paused. False: it is not connected.
bool AskVaultDevice(Context& context, DeviceId device);

/// The namespace that opens the vault by itself: the desktop has a field for it, and none for a key.
std::string NamespaceOf(std::string_view key);

/// Cleans up after sessions that are over, and notes which devices have gone silent. `between` may throw to stop it.
void SweepDesktops(Context& context, const std::function<void()>& between);

enum class Presence {
  kUnknown,       ///< Redis is away
  kAway,          ///< no session
  kConnected,     ///< it has answered lately, or was not asked yet
  kScreenClosed,  ///< it is connected, but has ignored three requests in a row
};
const char* NameOf(Presence presence);
Presence PresenceOf(Context& context, DeviceId device);

}  // namespace syncline::vault
