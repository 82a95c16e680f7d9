#pragma once
// The text forms of days and times of day in this service. Pure.
#include <chrono>
#include <string>

namespace syncline::schedule {

using Day = std::chrono::sys_days;

/// Monday is 1.
int WeekdayOf(Day day);
Day MondayOf(Day day);

/// "2031-10-06".
std::string DayText(Day day);
/// "08:05", of minutes since midnight.
std::string ClockText(int minutes);

}  // namespace syncline::schedule
