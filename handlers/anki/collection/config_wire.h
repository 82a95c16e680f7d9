#pragma once
// The config values that the server itself uses: when a day ends, and on which day cards were last unburied.
#include <cstdint>
#include <optional>
#include <string_view>

namespace syncline::anki {

struct DayConfig {
  int scheduler = 1;                              ///< schedVer
  std::optional<std::int64_t> creation_west_min;  ///< creationOffset, minutes west of UTC
  std::int64_t local_west_min = 0;                ///< localOffset; UTC if unknown, never the server's zone
  std::optional<std::int64_t> rollover_hour;      ///< rollover
  std::int64_t last_unburied_day = 0;             ///< lastUnburied
};

/// The config is free-form: members of another type count as missing. Error BadInput "bad_json".
DayConfig ReadDayConfig(std::string_view config_json);

/// Days between the collection's creation and `now_s`, as the user's scheduler counts them.
std::int64_t DaysElapsed(const DayConfig& config, std::int64_t created_s, std::int64_t now_s);

/// Today's day number if buried cards must be unburied now, else nothing.
std::optional<std::int64_t> UnburyDay(const DayConfig& config, std::int64_t created_s, std::int64_t now_s);

/// The config with lastUnburied set to `day`.
std::string WithUnburiedDay(const std::string& config_json, std::int64_t day);

/// Whether a card is hidden until the next day, by the scheduler (-2) or the user (-3).
constexpr bool IsBuried(std::int64_t queue) {
  return queue == -2 || queue == -3;
}

/// The queue that a card of this type gets when it is unburied.
std::int32_t UnburiedQueue(std::int32_t type, std::int32_t due);

}  // namespace syncline::anki
