#include "handlers/schedule/reading/week_rules.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "handlers/base/errors.h"
#include "handlers/schedule/lessons/name_rules.h"

namespace syncline::schedule {
namespace {

using namespace std::chrono;

Day AutumnOf(year in) {
  return sys_days(in / September / 1);
}
Day SpringOf(year in) {
  return sys_days(in / February / Monday[2]);
}

}  // namespace

std::optional<Day> ParseDay(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t size) {
    int value = -1;
    const char* const begin = text.data() + at;
    return std::from_chars(begin, begin + size, value).ptr == begin + size ? value : -1;
  };
  const int years = number(0, 4), months = number(5, 2), days = number(8, 2);
  if (years < 1900 || years > 2199 || months < 1 || days < 1) return std::nullopt;
  const year_month_day date(year{years}, month{static_cast<unsigned>(months)},
                            day{static_cast<unsigned>(days)});
  return date.ok() ? std::optional<Day>(date) : std::nullopt;
}

Terms::Terms(std::string_view setting) {
  for (const std::string& word : SplitWords(setting, ' ')) {
    const auto day = ParseDay(word);
    if (!day)
      throw Error(ErrorKind::kInternal, "bad_setting", "schedule_semesters: '" + word + "' is no day");
    days_.push_back(*day);
  }
  std::sort(days_.begin(), days_.end());
}

std::optional<Day> Terms::BeginOf(Day day) const {
  if (!days_.empty()) {
    const auto after = std::upper_bound(days_.begin(), days_.end(), day);
    return after == days_.begin() ? std::nullopt : std::optional(*std::prev(after));
  }
  const year in = year_month_day(day).year();
  if (day >= AutumnOf(in)) return AutumnOf(in);
  return day >= SpringOf(in) ? SpringOf(in) : AutumnOf(in - years(1));
}

std::optional<int> Terms::WeekOf(Day day) const {
  const auto begin = BeginOf(day);
  if (!begin) return std::nullopt;
  return static_cast<int>((MondayOf(day) - MondayOf(*begin)).count() / 7) + 1;
}

std::string_view ParityOf(int week) {
  return week % 2 == 0 ? "even" : "odd";
}

}  // namespace syncline::schedule
