#include "handlers/schedule/reading/timetable_store.h"

#include <charconv>

#include "handlers/base/timestamp.h"
#include "handlers/schedule/reading/search_rules.h"
#include "sql/queries/schedule.h"

namespace syncline::schedule {
namespace {

using Text = std::optional<std::string>;
using Number = std::optional<std::int64_t>;

std::int64_t TakeNumber(std::string_view& text) {
  std::int64_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number).ptr;
  text.remove_prefix(std::min(static_cast<std::size_t>(end - text.data()) + 1, text.size()));
  return number;
}

// "31 901 Name", see the view schedule_shown_lessons.
ShownTeacher ReadShownTeacher(std::string_view text) {
  ShownTeacher teacher;
  teacher.id = TakeNumber(text);
  const std::int64_t upstream_id = TakeNumber(text);
  if (upstream_id > 0) teacher.upstream_id = upstream_id;
  teacher.name = text;
  return teacher;
}

ShownLesson ReadLesson(const sql::Row& row) {
  ShownLesson lesson;
  lesson.id = row["lesson_id"].As<std::int64_t>();
  lesson.group = row["group_id"].As<std::int64_t>();
  lesson.group_name = row["group_name"].As<std::string>();
  lesson.subject = row["subject_id"].As<std::int64_t>();
  lesson.subject_name = row["subject_name"].As<std::string>();
  lesson.type = LessonTypeOfWord(row["lesson_type"].As<std::string_view>()).value_or(LessonType::kOther);
  lesson.room = row["room_id"].As<Number>();
  lesson.room_name = row["room"].As<std::string>();
  lesson.is_online = row["is_online"].As<bool>();
  lesson.date = row["slot_date"].As<Text>();
  lesson.weekday = row["weekday"].As<std::int64_t>();
  lesson.number = row["lesson_number"].As<std::int64_t>();
  lesson.start_time = row["start_time"].As<std::string>();
  lesson.end_time = row["end_time"].As<std::string>();
  lesson.week_number = row["week_number"].As<Number>();
  lesson.subgroup = row["subgroup"].As<std::int64_t>();
  lesson.additional_text = row["additional_text"].As<std::string>();
  lesson.uid = row["uid"].As<std::string>();
  lesson.sequence = row["sequence"].As<std::int64_t>();
  lesson.created_at = row["created_at"].As<sql::Time>();
  lesson.modified_at = row["modified_at"].As<sql::Time>();
  lesson.is_removed = row["is_removed"].As<bool>();
  for (const std::string& teacher : row["teachers"].As<std::vector<std::string>>())
    lesson.teachers.push_back(ReadShownTeacher(teacher));
  return lesson;
}

std::vector<ShownLesson> ReadLessons(const sql::Rows& rows) {
  std::vector<ShownLesson> lessons;
  lessons.reserve(static_cast<std::size_t>(rows.size()));
  for (const sql::Row row : rows) lessons.push_back(ReadLesson(row));
  return lessons;
}

TimetableState ReadState(const sql::Row& row) {
  return {.revision = row["revision"].As<std::int64_t>(),
          .changed_at = row["changed_at"].As<sql::Time>(),
          .data_as_of = row["last_ok_at"].As<std::optional<sql::Time>>()};
}

}  // namespace

std::optional<GroupLessons> TimetableStore::OfGroup(const LessonFilter& filter) {
  const sql::Rows rows = tx_.Query(sql::schedule::list_group_lessons, filter.group, filter.date_from,
                                   filter.date_to, filter.weekday, filter.subgroup, filter.types,
                                   filter.number, filter.order[0], filter.order[1], filter.order[2]);
  if (rows.empty()) return std::nullopt;
  GroupLessons found{ReadState(rows[0]), {}};
  if (!rows[0]["lesson_id"].IsNull()) found.lessons = ReadLessons(rows);
  return found;
}

std::optional<TimetableState> TimetableStore::StateOf(std::int64_t group) {
  const auto row = tx_.MaybeOne(sql::schedule::find_group_revision, group);
  return row ? std::optional(ReadState(*row)) : std::nullopt;
}

TimetableState TimetableStore::State() {
  return ReadState(tx_.One(sql::schedule::timetable_state));
}

Freshness TimetableStore::Fresh() {
  const sql::Row state = tx_.One(sql::schedule::timetable_state);
  const sql::Row run = tx_.One(sql::schedule::last_good_run);
  return {.state = ReadState(state),
          .groups = state["groups"].As<std::int64_t>(),
          .failing_groups = state["failing_groups"].As<std::int64_t>(),
          .last_run_at = run["finished_at"].As<std::optional<sql::Time>>(),
          .index_read_at = run["index_read_at"].As<std::optional<sql::Time>>(),
          .period = run["period_text"].As<std::string>()};
}

MissingRows TimetableStore::CheckRows(const LessonFilter& filter) {
  const sql::Row row = tx_.One(sql::schedule::check_filters, filter.group, filter.subject, filter.teacher,
                               filter.room, filter.institute);
  MissingRows missing;
  for (const char* name : {"group", "subject", "teacher", "room", "institute"}) {
    if (row[(std::string("is_no_") + name).c_str()].As<bool>()) missing.emplace_back(name);
  }
  return missing;
}

std::vector<ShownLesson> TimetableStore::Find(const LessonFilter& filter) {
  return ReadLessons(tx_.Query(
      sql::schedule::find_lessons, filter.group, filter.subject, filter.teacher, filter.room,
      filter.institute, filter.date_from, filter.date_to, filter.weekday, filter.subgroup, filter.types,
      filter.number, SearchPatterns(filter.search), filter.order[0], filter.order[1], filter.order[2]));
}

void TimetableStore::Each(const LessonFilter& filter, const std::function<void(const ShownLesson&)>& lesson) {
  const auto patterns = SearchPatterns(filter.search);
  tx_.Each(
      sql::schedule::find_lessons, [&](const sql::Row& row) { lesson(ReadLesson(row)); }, filter.group,
      filter.subject, filter.teacher, filter.room, filter.institute, filter.date_from, filter.date_to,
      filter.weekday, filter.subgroup, filter.types, filter.number, patterns, filter.order[0],
      filter.order[1], filter.order[2]);
}

std::optional<LessonDetail> TimetableStore::FindOne(std::int64_t lesson) {
  const auto row = tx_.MaybeOne(sql::schedule::find_lesson, lesson);
  if (!row) return std::nullopt;
  LessonDetail found;
  found.lesson = ReadLesson(*row);
  found.group = {.id = found.lesson.group,
                 .name = found.lesson.group_name,
                 .upstream_id = (*row)["group_upstream_id"].As<Number>(),
                 .institute = (*row)["institute_id"].As<Number>(),
                 .institute_name = (*row)["institute_name"].As<Text>(),
                 .education_form = (*row)["education_form"].As<Text>(),
                 .degree_type = (*row)["degree_type"].As<Text>(),
                 .course_number = (*row)["course_number"].As<Number>()};
  if (const auto teacher = (*row)["teacher_id"].As<Number>()) {
    found.teacher = Teacher{.id = *teacher,
                            .full_name = (*row)["full_name"].As<std::string>(),
                            .upstream_id = (*row)["teacher_upstream_id"].As<Number>(),
                            .profile_url = (*row)["profile_url"].As<Text>()};
  }
  return found;
}

std::int64_t TimetableStore::NewestChange(std::int64_t group) {
  return tx_.One(sql::schedule::newest_change, group)["change_id"].As<std::int64_t>();
}

std::vector<LessonChange> TimetableStore::Changes(std::int64_t group, std::int64_t after,
                                                  std::optional<sql::Time> since, std::int64_t limit) {
  std::vector<LessonChange> changes;
  for (const sql::Row row : tx_.Query(sql::schedule::list_changes, group, after, since, limit)) {
    changes.push_back({.id = row["change_id"].As<std::int64_t>(),
                       .lesson = row["lesson_id"].As<std::int64_t>(),
                       .kind = row["kind"].As<std::string>(),
                       .date = row["slot_date"].As<Text>(),
                       .is_first = row["is_first"].As<bool>(),
                       .before = row["before"].As<Text>(),
                       .after = row["after"].As<Text>(),
                       .changed_at = row["changed_at"].As<sql::Time>(),
                       .run = row["run_id"].As<Number>()});
  }
  return changes;
}

std::vector<Room> TimetableStore::FreeRooms(Day term, Day day, int number, LessonTime time) {
  std::vector<Room> rooms;
  for (const sql::Row row : tx_.Query(sql::schedule::free_rooms, DayText(term), DayText(day), number,
                                      ClockText(time.begin), ClockText(time.end)))
    rooms.push_back(
        {row["room_id"].As<std::int64_t>(), row["name"].As<std::string>(), row["is_online"].As<bool>()});
  return rooms;
}

std::vector<ShownLesson> TimetableStore::OfFeed(const FeedWindow& window) {
  return ReadLessons(tx_.Query(sql::schedule::feed_lessons, window.group, window.teacher, window.room,
                               window.subgroup, DayText(window.first), DayText(window.last),
                               window.removed_since));
}

FeedState TimetableStore::StateOfFeed(const FeedWindow& window) {
  const sql::Row row =
      tx_.One(sql::schedule::feed_state, window.group, window.teacher, window.room, window.subgroup,
              DayText(window.first), DayText(window.last), window.removed_since);
  return {.version = std::to_string(row["lessons"].As<std::int64_t>()) + "." +
                     std::to_string(row["versions"].As<std::int64_t>()),
          .changed_at = row["changed_at"].As<sql::Time>()};
}

}  // namespace syncline::schedule
