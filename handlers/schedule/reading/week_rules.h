#pragma once
// The calendar of terms: which week of its term a day is in, and whether that week is odd or even. Pure.
#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "handlers/schedule/lessons/lesson_rules.h"

namespace syncline::schedule {

/// Parses "2031-09-01"; none if it is not a day of the years 1900 to 2199.
std::optional<Day> ParseDay(std::string_view text);

/// First days of terms, ascending.
class Terms {
 public:
  /// `setting`: first days, separated by blanks. Empty: September 1 and the second Monday of February of every year. Throws
  /// Error Internal "bad_setting" for anything that is no day.
  explicit Terms(std::string_view setting);

  /// The first day of the term that the day is in; none before the first one.
  std::optional<Day> BeginOf(Day day) const;
  /// 1 for the week that has the first day of the term, and so on.
  std::optional<int> WeekOf(Day day) const;

 private:
  std::vector<Day> days_;  // empty: the usual ones
};

/// "odd" or "even".
std::string_view ParityOf(int week);

}  // namespace syncline::schedule
