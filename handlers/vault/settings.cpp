#include "handlers/vault/settings.h"

namespace syncline::vault {
namespace {

constexpr Setting kSettings[] = {
    NumberSetting<&Settings::max_file_mib>("vault_max_file_mib", 1, 512, "Largest file in a vault, in MiB"),
    NumberSetting<&Settings::event_days>("vault_event_days", 1, 3650,
                                         "Days for which the events of vaults are kept"),
    NumberSetting<&Settings::ping_interval_ms>("vault_ping_interval_ms", 100, 25'000,
                                               "Milliseconds between two pings of a Socket.IO session"),
    NumberSetting<&Settings::ping_timeout_ms>(
        "vault_ping_timeout_ms", 100, 95'000,
        "Milliseconds for which a Socket.IO session lasts when a ping interval has passed without a request"),
    NumberSetting<&Settings::max_sessions>(
        "vault_max_sessions", 1, 100'000,
        "Socket.IO sessions at the same time; at most nine tenths of the slots of the pool realtime"),
    NumberSetting<&Settings::handshakes_per_minute>(
        "vault_handshakes_per_minute", 1, 1'000'000,
        "New Socket.IO sessions of one network and one key in a minute"),
    NumberSetting<&Settings::sessions_per_device>("vault_sessions_per_device", 1, 1000,
                                                  "Socket.IO sessions of one device at the same time"),
    NumberSetting<&Settings::uploads_per_hour>("vault_uploads_per_hour", 1, 1'000'000,
                                               "Uploads of one device over Socket.IO in an hour"),
};

}  // namespace

std::span<const Setting> SettingRows() {
  return kSettings;
}

}  // namespace syncline::vault
