#include "handlers/decks/settings.h"

namespace syncline::decks {
namespace {

constexpr Setting kSettings[] = {
    NumberSetting<&Settings::idle_days>("decks_idle_days", 1, 3650,
                                        "Days without a call after which a subscription to a deck no longer "
                                        "counts, and what an account left behind is "
                                        "forgotten"),
    NumberSetting<&Settings::max_media_mib>("decks_max_media_mib", 1, 100, "Largest file of a deck, in MiB"),
    NumberSetting<&Settings::link_hours>("decks_link_hours", 1, 720,
                                         "Hours for which a link to a file of a deck is good"),
    TextSetting<&Settings::public_url>("decks_public_url",
                                       "Address of this server in links to files of decks, such as "
                                       "https://sync.example.org; empty: that of the request"),
};

}  // namespace

std::span<const Setting> SettingRows() {
  return kSettings;
}

}  // namespace syncline::decks
