#pragma once
// The page of a group's timetable: bytes to lessons. Pure. handlers/schedule/README.md has the grammar.
#include <string>
#include <string_view>
#include <vector>

#include "handlers/schedule/lessons/lesson_rules.h"

namespace syncline::schedule {

struct GroupPageInput {
  std::string_view bytes, content_type;
  std::string url;         ///< of the page: links of teachers are relative to it
  std::string group_name;  ///< the group that the page must belong to, if it names one
  Day today;               ///< of the site: dates have no year
};

struct ParsedGroupPage {
  std::vector<Lesson> lessons;
  Window window;             ///< from the first to the last day on the page
  bool has_heading = false;  ///< the page says whose it is
  /// Skipped or guessed parts: "slot_without_number: ...".
  std::vector<std::string> warnings;
};

/// Throws PageRefused (html_wire.h) unless the page is one complete timetable in the known layout that does
/// not name another group. A timetable without lessons is valid.
ParsedGroupPage ParseGroupPage(const GroupPageInput& input);

/// The date among last, this and next year that has the weekday and is nearest to `today`; none if there is none.
std::optional<Day> DateOf(unsigned day, unsigned month, int weekday, Day today);

}  // namespace syncline::schedule
