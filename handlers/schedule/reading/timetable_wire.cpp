#include "handlers/schedule/reading/timetable_wire.h"

#include "handlers/base/timestamp.h"
#include "handlers/schedule/lessons/day_rules.h"
#include "handlers/schedule/lessons/lesson_rules.h"
#include "handlers/schedule/reading/catalogue_wire.h"
#include "handlers/schedule/reading/search_rules.h"

namespace syncline::schedule {
namespace {

constexpr std::string_view kWeekdays[] = {"Понедельник", "Вторник", "Среда",      "Четверг",
                                          "Пятница",     "Суббота", "Воскресенье"};
constexpr std::chrono::hours kFresh{24};

std::optional<int> WeekIndexOf(const ShownLesson& lesson, const Terms& terms) {
  if (!lesson.date) return std::nullopt;
  const auto day = ParseDay(*lesson.date);
  return day ? terms.WeekOf(*day) : std::nullopt;
}

std::optional<std::string_view> MaybeParity(std::optional<int> week) {
  return week ? std::optional(ParityOf(*week)) : std::nullopt;
}

std::optional<std::string> MaybeTimestamp(std::optional<sql::Time> time) {
  return time ? std::optional(PrintTimestamp(*time)) : std::nullopt;
}

// What a lesson has in a list and by itself.
void AddOwnMembers(JsonWriter& json, const ShownLesson& lesson, const Terms& terms) {
  const std::optional<int> week = WeekIndexOf(lesson, terms);
  json.Add("lesson_type", ApiCodeOf(lesson.type))
      .Add("lesson_type_display", ApiNameOf(lesson.type))
      .Add("room", lesson.room_name)
      .Add("weekday", lesson.weekday)
      .Add("weekday_display", WeekdayName(lesson.weekday))
      .Add("lesson_number", lesson.number)
      .Add("start_time", lesson.start_time)
      .Add("end_time", lesson.end_time)
      .Add("specific_date", lesson.date)
      .Add("week_number", lesson.week_number)
      .Add("is_active", !lesson.is_removed)
      .Add("additional_info", AdditionalInfoOf(lesson))
      .Add("subgroup", lesson.subgroup > 0 ? std::optional(lesson.subgroup) : std::nullopt)
      .Add("room_id", lesson.room)
      .Add("is_online", lesson.is_online)
      .Add("week_index", week)
      .Add("parity", MaybeParity(week))
      .Array("teachers");
  for (const ShownTeacher& teacher : lesson.teachers)
    json.Object()
        .Add("id", teacher.id)
        .Add("full_name", teacher.name)
        .Add("sstu_id", teacher.upstream_id)
        .End();
  json.End();
}

}  // namespace

std::string_view WeekdayName(std::int64_t weekday) {
  return weekday >= 1 && weekday <= 7 ? kWeekdays[weekday - 1] : std::string_view();
}

std::string AdditionalInfoOf(const ShownLesson& lesson) {
  if (lesson.subgroup == 0) return lesson.additional_text;
  std::string text = "Подгр. " + std::to_string(lesson.subgroup);
  if (!lesson.additional_text.empty()) text += "; " + lesson.additional_text;
  return text;
}

void AddLesson(JsonWriter& json, const ShownLesson& lesson, const Terms& terms) {
  const ShownTeacher* teacher = lesson.teachers.empty() ? nullptr : &lesson.teachers.front();
  json.Object()
      .Add("id", lesson.id)
      .Add("group", lesson.group)
      .Add("group_name", lesson.group_name)
      .Add("subject", lesson.subject)
      .Add("subject_name", lesson.subject_name)
      .Add("teacher", teacher != nullptr ? std::optional(teacher->id) : std::nullopt)
      .Add("teacher_name", teacher != nullptr ? std::optional(teacher->name) : std::nullopt);
  AddOwnMembers(json, lesson, terms);
  json.End();
}

std::string PrintLessons(const std::vector<ShownLesson>& lessons, const Terms& terms) {
  JsonWriter json;
  json.Array();
  for (const ShownLesson& lesson : lessons) AddLesson(json, lesson, terms);
  return json.Finish();
}

std::string PrintLessonDetail(const LessonDetail& found, const Terms& terms) {
  const ShownLesson& lesson = found.lesson;
  JsonWriter json;
  json.Object().Add("id", lesson.id);
  json.Add("group", RawJson{PrintOne(found.group, AddGroup)});
  json.Object("subject").Add("id", lesson.subject).Add("name", lesson.subject_name).End();
  if (found.teacher) {
    json.Add("teacher", RawJson{PrintOne(*found.teacher, AddTeacher)});
  } else {
    json.Add("teacher", nullptr);
  }
  AddOwnMembers(json, lesson, terms);
  return json.Add("created_at", PrintTimestamp(lesson.created_at))
      .Add("updated_at", PrintTimestamp(lesson.modified_at))
      .Finish();
}

std::string PrintWeekly(const WeekOwner& owner, const std::vector<ShownLesson>& lessons, const Terms& terms) {
  JsonWriter json;
  json.Object();
  if (owner.group) json.Add("group", RawJson{PrintOne(*owner.group, AddGroup)});
  if (owner.teacher) json.Add("teacher", RawJson{PrintOne(*owner.teacher, AddTeacher)});
  if (owner.room) json.Add("room", RawJson{PrintOne(*owner.room, AddRoom)});
  json.Object("schedule");
  for (std::int64_t weekday = 1; weekday <= 7; ++weekday) {
    bool has_any = false;
    for (const ShownLesson& lesson : lessons) {
      if (lesson.weekday != weekday) continue;
      if (!has_any) json.Array(WeekdayName(weekday));
      has_any = true;
      AddLesson(json, lesson, terms);
    }
    if (has_any) json.End();
  }
  return json.Finish();
}

std::string PrintChanges(const std::vector<LessonChange>& changes, std::int64_t after, bool has_more) {
  JsonWriter json;
  json.Object().Array("changes");
  for (const LessonChange& change : changes) {
    json.Object()
        .Add("id", change.id)
        .Add("kind", change.kind)
        .Add("lesson", change.lesson)
        .Add("date", change.date)
        .Add("is_first_import", change.is_first)
        .Add("before", RawJson{change.before ? std::string_view(*change.before) : "null"})
        .Add("after", RawJson{change.after ? std::string_view(*change.after) : "null"})
        .Add("changed_at", PrintTimestamp(change.changed_at))
        .Add("update_id", change.run)
        .End();
  }
  return json.End()
      .Add("latest", changes.empty() ? after : changes.back().id)
      .Add("has_more", has_more)
      .Finish();
}

std::string PrintFreeRooms(const std::vector<Room>& rooms, std::string_view date, std::int64_t number,
                           std::optional<sql::Time> data_as_of) {
  JsonWriter json;
  json.Object()
      .Add("date", date)
      .Add("lesson_number", number)
      .Add("data_as_of", MaybeTimestamp(data_as_of))
      .Array("rooms");
  for (const Room& room : rooms) AddRoom(json, room);
  return json.Finish();
}

std::string PrintFreshness(const Freshness& fresh, sql::Time now) {
  const auto& as_of = fresh.state.data_as_of;
  return JsonWriter()
      .Object()
      .Add("data_as_of", MaybeTimestamp(as_of))
      .Add("is_stale", !as_of || now - *as_of > kFresh)
      .Add("last_update_at", MaybeTimestamp(fresh.last_run_at))
      .Add("index_read_at", MaybeTimestamp(fresh.index_read_at))
      .Add("period", fresh.period)
      .Add("groups", fresh.groups)
      .Add("failing_groups", fresh.failing_groups)
      .Add("revision", fresh.state.revision)
      .Finish();
}

std::string PrintWeek(Day day, Day today, const Terms& terms) {
  const auto week = terms.WeekOf(day);
  const auto begin = terms.BeginOf(day);
  JsonWriter json;
  json.Object()
      .Add("date", DayText(day))
      .Add("weekday", WeekdayOf(day))
      .Add("weekday_display", WeekdayName(WeekdayOf(day)))
      .Add("monday", DayText(MondayOf(day)))
      .Add("sunday", DayText(MondayOf(day) + std::chrono::days(6)))
      .Add("term_begin", begin ? std::optional(DayText(*begin)) : std::nullopt)
      .Add("week_index", week)
      .Add("parity", MaybeParity(week))
      .Add("today", DayText(today))
      .Array("pairs");
  for (int number = 1; const auto time = UsualTimeOf(number); ++number) {
    json.Object()
        .Add("lesson_number", number)
        .Add("start_time", ClockText(time->begin) + ":00")
        .Add("end_time", ClockText(time->end) + ":00")
        .End();
  }
  return json.Finish();
}

}  // namespace syncline::schedule
