#include "handlers/anki/collection/config_wire.h"

#include <algorithm>
#include <string>

#include "handlers/anki/collection/messages_wire.h"
#include "handlers/base/errors.h"
#include "handlers/base/json.h"

namespace syncline::anki {
namespace {

constexpr std::int64_t kDaySeconds = 86'400;
// Due values above this are times, not days (Anki's own limit).
constexpr std::int32_t kFirstTimestampDue = 1'000'000'000;

std::int64_t FloorDiv(std::int64_t value, std::int64_t by) {
  return value / by - (value % by != 0 && (value < 0) != (by < 0) ? 1 : 0);
}

// Anki clamps offsets at 23 hours.
std::int64_t WestSeconds(std::int64_t minutes_west) {
  return std::clamp<std::int64_t>(minutes_west, -23 * 60, 23 * 60) * 60;
}

}  // namespace

DayConfig ReadDayConfig(std::string_view config_json) {
  DayConfig config;
  try {
    const JsonSpans spans(config_json, 1);
    spans.EachIn(spans.Root(), [&](const JsonSpans::Value& member) {
      const auto number = WholeNumber(spans.Raw(member));
      if (!number) return;
      const std::string_view key = spans.Key(member);
      if (key == "schedVer") config.scheduler = *number == 2 ? 2 : 1;
      if (key == "creationOffset") config.creation_west_min = *number;
      if (key == "localOffset") config.local_west_min = *number;
      if (key == "rollover") config.rollover_hour = *number;
      if (key == "lastUnburied") config.last_unburied_day = *number;
    });
  } catch (const BadJson& e) {
    throw BadInput(std::string(kBadJson), e.what());
  }
  return config;
}

std::int64_t DaysElapsed(const DayConfig& config, std::int64_t created_s, std::int64_t now_s) {
  // Scheduler 1 counts days of 24 hours from the creation.
  if (config.scheduler < 2) return std::max<std::int64_t>(0, FloorDiv(now_s - created_s, kDaySeconds));

  const std::int64_t rollover = (config.rollover_hour.value_or(4) % 24 + 24) % 24 * 3600;
  const std::int64_t local_now = now_s - WestSeconds(config.local_west_min);
  if (!config.creation_west_min) {
    // Without creationOffset (old collections): days of 24 hours from the rollover hour of the creation day.
    const std::int64_t local_created = created_s - WestSeconds(config.local_west_min);
    const std::int64_t first = FloorDiv(local_created, kDaySeconds) * kDaySeconds + rollover;
    return std::max<std::int64_t>(0, FloorDiv(local_now - first, kDaySeconds));
  }
  const std::int64_t local_created = created_s - WestSeconds(*config.creation_west_min);
  const std::int64_t today = FloorDiv(local_now, kDaySeconds);
  const bool rollover_passed = local_now - today * kDaySeconds >= rollover;
  return std::max<std::int64_t>(0, today - FloorDiv(local_created, kDaySeconds) - (rollover_passed ? 0 : 1));
}

std::optional<std::int64_t> UnburyDay(const DayConfig& config, std::int64_t created_s, std::int64_t now_s) {
  const std::int64_t today = DaysElapsed(config, created_s, now_s);
  // A day far in the future comes from a device whose clock was wrong.
  const bool is_due = config.last_unburied_day < today || today + 7 < config.last_unburied_day;
  return is_due ? std::optional(today) : std::nullopt;
}

std::int32_t UnburiedQueue(std::int32_t type, std::int32_t due) {
  switch (type) {
    case 1:
    case 3:
      return due > kFirstTimestampDue ? 1 : 3;
    case 2:
      return 2;
    default:
      return 0;
  }
}

std::string WithUnburiedDay(const std::string& config_json, std::int64_t day) {
  return WithMembers(config_json, {{"lastUnburied", std::to_string(day)}});
}

}  // namespace syncline::anki
