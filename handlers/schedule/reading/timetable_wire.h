#pragma once
// Lessons and related objects as JSON. The keys of the original are unchanged; subgroup, teachers, parity,
// is_online and week_index are ours. The subgroup is also in `additional_info`, so that the old page can show
// it.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/json_writer.h"
#include "handlers/schedule/reading/timetable_store.h"
#include "handlers/schedule/reading/week_rules.h"

namespace syncline::schedule {

/// In Russian, Monday is 1.
std::string_view WeekdayName(std::int64_t weekday);

/// The subgroup and the site's other remarks on a lesson, in one text.
std::string AdditionalInfoOf(const ShownLesson& lesson);

void AddLesson(JsonWriter& json, const ShownLesson& lesson, const Terms& terms);
std::string PrintLessons(const std::vector<ShownLesson>& lessons, const Terms& terms);
/// A single lesson: its group, subject and teacher are objects.
std::string PrintLessonDetail(const LessonDetail& found, const Terms& terms);

/// The owner of a weekly timetable.
struct WeekOwner {
  std::optional<Group> group{};
  std::optional<Teacher> teacher{};
  std::optional<Room> room{};
};
/// {"group": {...}, "schedule": {"<weekday>": [...]}}: days with lessons only, as in the original.
std::string PrintWeekly(const WeekOwner& owner, const std::vector<ShownLesson>& lessons, const Terms& terms);

/// {"changes": [...], "latest": <id for `since`>, "has_more"}; `after`: `latest` if there are none.
std::string PrintChanges(const std::vector<LessonChange>& changes, std::int64_t after, bool has_more);

std::string PrintFreeRooms(const std::vector<Room>& rooms, std::string_view date, std::int64_t number,
                           std::optional<sql::Time> data_as_of);

/// Whether the data is older than a day counts from `now`.
std::string PrintFreshness(const Freshness& fresh, sql::Time now);

/// {"date", "weekday", "monday", "sunday", "term_begin", "week_index", "parity", "today"}
std::string PrintWeek(Day day, Day today, const Terms& terms);

}  // namespace syncline::schedule
