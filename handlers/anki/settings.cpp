#include "handlers/anki/settings.h"

namespace syncline::anki {
namespace {

constexpr Setting kSettings[] = {
    NumberSetting<&Settings::max_collection_mib>("max_collection_mib", 1, 1 << 20,
                                                 "Largest collection file, uncompressed, in MiB"),
    NumberSetting<&Settings::max_message_mib>("max_message_mib", 1, 450,
                                              "Largest message of a sync, uncompressed, in MiB"),
    NumberSetting<&Settings::max_staged_mib>(
        "max_staged_mib", 1, 1 << 20,
        "Largest sync that is not an upload, uncompressed, in MiB; at least one message"),
    NumberSetting<&Settings::max_staged_hourly_mib>(
        "max_staged_hourly_mib", 1, 1 << 20,
        "What all syncs of an account may send in an hour, in MiB; at least one sync"),
    NumberSetting<&Settings::history_days>("history_days", 0, 36500,
                                           "Days for which a replaced collection is kept"),
    NumberSetting<&Settings::session_minutes>("session_minutes", 1, 1440,
                                              "Minutes without a request after which an Anki sync expires"),
};

}  // namespace

std::span<const Setting> SettingRows() {
  return kSettings;
}

}  // namespace syncline::anki
