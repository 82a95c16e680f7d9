#pragma once
// A time zone as the system's database has it: files in the format TZif (RFC 8536). For calendars, which must bring the
// definition of their zone with them.
//
// Changes after the table of the file follow its rule and are listed up to kLastZoneYear. Left out on purpose: leap seconds,
// and rules that count days of the year instead of weekdays of months, which no zone uses.
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
  /// Of a time that occurs twice the first one; of one that was skipped what the offset before would make of it.
  std::chrono::sys_seconds UtcOf(std::chrono::local_seconds time) const;
};

/// The day that it is there.
std::chrono::sys_days DayIn(const Zone& zone, std::chrono::system_clock::time_point now);

/// Throws Error BadInput "bad_zone" if the bytes are no such file, or cut.
Zone ParseZone(std::string name, std::string_view bytes);

/// The zone of this name, read once per process from the folder of the system. Throws Error Internal "no_zone" if there is
/// none, or the name is none.
std::shared_ptr<const Zone> SystemZone(const std::string& name);

}  // namespace syncline::schedule
