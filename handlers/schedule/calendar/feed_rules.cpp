#include "handlers/schedule/calendar/feed_rules.h"

#include <algorithm>
#include <charconv>

namespace syncline::schedule {
namespace {

using std::chrono::days;

constexpr days kPast{30}, kAhead{180}, kCancelled{30};

// "08:05:00" of a day.
std::chrono::local_seconds TimeOf(Day day, std::string_view clock) {
  const auto number = [&](std::size_t at) {
    int value = 0;
    if (clock.size() >= at + 2) std::from_chars(clock.data() + at, clock.data() + at + 2, value);
    return value;
  };
  return std::chrono::local_seconds(day.time_since_epoch()) + std::chrono::hours(number(0)) +
         std::chrono::minutes(number(3)) + std::chrono::seconds(number(6));
}

std::string SummaryOf(const ShownLesson& lesson, bool names_group) {
  std::string text = lesson.subject_name;
  if (lesson.type != LessonType::kOther) text.append(" (").append(ApiNameOf(lesson.type)).append(")");
  if (lesson.subgroup > 0) text += ", подгр. " + std::to_string(lesson.subgroup);
  if (names_group) text += ", " + lesson.group_name;
  return lesson.is_removed ? "Отменено: " + text : text;
}

std::string DescriptionOf(const ShownLesson& lesson) {
  std::string text = "Группа: " + lesson.group_name;
  if (lesson.subgroup > 0) text += ", подгруппа " + std::to_string(lesson.subgroup);
  if (lesson.number > 0) text += "\nПара: " + std::to_string(lesson.number);
  for (std::size_t i = 0; i < lesson.teachers.size(); ++i)
    text += (i == 0 ? "\nПреподаватель: " : ", ") + lesson.teachers[i].name;
  if (!lesson.additional_text.empty()) text += "\n" + lesson.additional_text;
  return text;
}

}  // namespace

FeedWindow WindowOf(const LiveFeed& feed, Day today, const Terms& terms, const Zone& zone) {
  FeedWindow window{.subgroup = feed.subgroup};
  switch (feed.kind) {
    case FeedKind::kTeacher:
      window.teacher = feed.shown;
      break;
    case FeedKind::kRoom:
      window.room = feed.shown;
      break;
    default:
      window.group = feed.shown;
  }
  window.first = std::min(terms.BeginOf(today).value_or(today), today - kPast);
  window.last = today + kAhead;
  window.removed_since = zone.UtcOf(std::chrono::local_seconds((today - kCancelled).time_since_epoch()));
  return window;
}

CalendarEvent EventOf(const ShownLesson& lesson, bool names_group) {
  const Day day = ParseDay(lesson.date.value_or("")).value_or(Day{});
  return {.uid = lesson.uid,
          .sequence = lesson.sequence,
          .revised_at = std::chrono::floor<std::chrono::seconds>(lesson.modified_at),
          .begins_at = TimeOf(day, lesson.start_time),
          .ends_at = std::max(TimeOf(day, lesson.end_time), TimeOf(day, lesson.start_time)),
          .is_whole_day = lesson.number == 0,
          .is_cancelled = lesson.is_removed,
          .summary = SummaryOf(lesson, names_group),
          .location = lesson.room_name,
          .description = DescriptionOf(lesson),
          .category = std::string(ApiNameOf(lesson.type))};
}

Calendar CalendarOf(const LiveFeed& feed, const std::vector<ShownLesson>& lessons, const Zone& zone) {
  const bool names_group = feed.kind == FeedKind::kTeacher || feed.kind == FeedKind::kRoom;
  Calendar calendar{.name = feed.name, .zone = &zone};
  if (calendar.name.empty())
    calendar.name = feed.shown_name.empty() ? std::string("Расписание") : "Расписание " + feed.shown_name;
  if (!feed.shown) calendar.description = "В профиле не выбрана группа.";
  for (const ShownLesson& lesson : lessons) calendar.events.push_back(EventOf(lesson, names_group));
  return calendar;
}

}  // namespace syncline::schedule
