#pragma once
// The settings of this service: context.config().Of<anime::Settings>().
#include <cstdint>
#include <span>
#include <string>

#include "handlers/base/setting.h"

namespace syncline::anime {

struct Settings {
  std::string anime_jikan_url = "https://api.jikan.moe/v4";  ///< without a slash at the end
  std::int64_t anime_jikan_per_second = 3;                   ///< as the API documents
  std::int64_t anime_jikan_per_minute = 60;
  /// Half of the documented rate: throttling begins below that rate, and interactive requests have priority.
  std::int64_t anime_jikan_jobs_per_minute = 30;
  std::int64_t anime_misses_per_minute = 20;     ///< requests to Jikan, searches among them, for one network
  std::int64_t anime_searches_per_minute = 300;  ///< searches and counts of the catalogue, by one network
  std::string anime_warm_up = "off";             ///< off, on: fetch the season's titles every day
  std::string anime_write_access = "user";       ///< open, user, admin: who may add titles and start syncs
  std::int64_t anime_history_days = 3650;        ///< how long changes of lists are kept
  /// The weight of an entry for recommendations, by its status, in thousandths.
  std::int64_t anime_weight_completed = 1000, anime_weight_watching = 1000, anime_weight_on_hold = 800,
               anime_weight_plan_to_watch = 500, anime_weight_dropped = 0;
};

std::span<const Setting> SettingRows();

}  // namespace syncline::anime
