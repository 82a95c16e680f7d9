#include "handlers/schedule/lessons/day_rules.h"

#include "handlers/base/timestamp.h"

namespace syncline::schedule {

int WeekdayOf(Day day) {
  return static_cast<int>(std::chrono::weekday(day).iso_encoding());
}

Day MondayOf(Day day) {
  return day - std::chrono::days(WeekdayOf(day) - 1);
}

std::string DayText(Day day) {
  return PrintDate(std::chrono::year_month_day(day));
}

std::string ClockText(int minutes) {
  const auto two = [](int number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  return two(minutes / 60) + ":" + two(minutes % 60);
}

}  // namespace syncline::schedule
