#include "handlers/anime/settings.h"

namespace syncline::anime {
namespace {

constexpr Setting kSettings[] = {
    TextSetting<&Settings::anime_jikan_url>("anime_jikan_url", "URL of the Jikan API, version 4"),
    NumberSetting<&Settings::anime_jikan_per_second>("anime_jikan_per_second", 1, 1000,
                                                     "Requests to Jikan in any second, of all processes"),
    NumberSetting<&Settings::anime_jikan_per_minute>("anime_jikan_per_minute", 1, 10'000,
                                                     "Requests to Jikan in any minute, of all processes"),
    NumberSetting<&Settings::anime_jikan_jobs_per_minute>("anime_jikan_jobs_per_minute", 1, 10'000,
                                                          "Of these, requests of background jobs"),
    NumberSetting<&Settings::anime_misses_per_minute>(
        "anime_misses_per_minute", 1, 100'000,
        "Requests to Jikan that the callers of one network may cause in a minute"),
    NumberSetting<&Settings::anime_searches_per_minute>(
        "anime_searches_per_minute", 1, 1'000'000,
        "Searches and counts of the catalogue that one network may ask for in a minute"),
    TextSetting<&Settings::anime_warm_up>("anime_warm_up", "Fetch the titles of the season every day",
                                          "off|on"),
    TextSetting<&Settings::anime_write_access>("anime_write_access", "Who may add titles and start syncs",
                                               "open|user|admin"),
    NumberSetting<&Settings::anime_history_days>("anime_history_days", 1, 36500,
                                                 "Days for which changes of anime lists are kept"),
    NumberSetting<&Settings::anime_weight_completed>(
        "anime_weight_completed", 0, 10'000,
        "Weight of a completed title for recommendations, in thousandths"),
    NumberSetting<&Settings::anime_weight_watching>("anime_weight_watching", 0, 10'000,
                                                    "What a watched one counts"),
    NumberSetting<&Settings::anime_weight_on_hold>("anime_weight_on_hold", 0, 10'000,
                                                   "What one on hold counts"),
    NumberSetting<&Settings::anime_weight_plan_to_watch>("anime_weight_plan_to_watch", 0, 10'000,
                                                         "What a planned one counts"),
    NumberSetting<&Settings::anime_weight_dropped>("anime_weight_dropped", 0, 10'000,
                                                   "What a dropped one counts"),
};

}  // namespace

std::span<const Setting> SettingRows() {
  return kSettings;
}

}  // namespace syncline::anime
