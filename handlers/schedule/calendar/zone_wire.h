#pragma once
// Reads time zones from the system's TZif files (RFC 8536), for calendars, which must contain the definition
// of their zone.
//
// Transitions after the file's table follow its rule and are listed up to kLastZoneYear. Left out on purpose:
// leap seconds, and rules that count days of the year instead of weekdays of months, which no zone uses.
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::schedule {

inline constexpr int kLastZoneYear = 2100;

struct ZoneOffset {
  std::chrono::seconds from_utc{};
  bool is_daylight = false;
  std::string name;  ///< "CEST", "+04"
};

struct ZoneChange {
  std::chrono::sys_seconds at{};
  ZoneOffset to;
};

struct Zone {
  std::string name;                 ///< "Europe/Saratov"
  ZoneOffset first;                 ///< before all changes
  std::vector<ZoneChange> changes;  ///< the oldest first

  const ZoneOffset& OffsetAt(std::chrono::sys_seconds time) const;
  std::chrono::local_seconds LocalOf(std::chrono::sys_seconds time) const;
  /// For a local time that occurs twice, the first one; for a skipped one, the time by the offset before the
  /// transition.
  std::chrono::sys_seconds UtcOf(std::chrono::local_seconds time) const;
};

/// The current day in the zone.
std::chrono::sys_days DayIn(const Zone& zone, std::chrono::system_clock::time_point now);

/// Throws Error BadInput "bad_zone" if the bytes are not a TZif file, or truncated.
Zone ParseZone(std::string name, std::string_view bytes);

/// The zone of this name, read once per process from the folder of the system. Throws Error Internal
/// "no_zone" if there is no such zone, or the name is invalid.
std::shared_ptr<const Zone> SystemZone(const std::string& name);

}  // namespace syncline::schedule
