#pragma once
// The hour of upkeep: when the daily kinds of jobs start.
#include <chrono>

namespace syncline::jobs {

/// The last time, at or before `now`, when clocks of this machine's time zone showed `hour`:00. `hour`: 0 to 23. If
/// that hour does not exist on a day, or exists twice, because the clocks change: one moment of that night.
std::chrono::system_clock::time_point LastDailyTick(std::chrono::system_clock::time_point now, int hour);

}  // namespace syncline::jobs
