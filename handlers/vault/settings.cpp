#include "handlers/vault/settings.h"

namespace syncline::vault {
namespace {

constexpr Setting kSettings[] = {
    NumberSetting<&Settings::max_file_mib>("vault_max_file_mib", 1, 512, "Largest file in a vault, in MiB"),
    NumberSetting<&Settings::event_days>("vault_event_days", 1, 3650,
                                         "Days for which the events of vaults are kept"),
};

}  // namespace

std::span<const Setting> SettingRows() {
  return kSettings;
}

}  // namespace syncline::vault
