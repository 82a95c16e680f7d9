#include "handlers/schedule/timetable_handlers.h"

#include <algorithm>

#include "handlers/base/input.h"
#include "handlers/base/json.h"
#include "handlers/base/timestamp.h"
#include "handlers/schedule/calendar/zone_wire.h"
#include "handlers/schedule/day_flow.h"
#include "handlers/schedule/lessons/name_rules.h"
#include "handlers/schedule/reading/answer_wire.h"
#include "handlers/schedule/reading/catalogue_store.h"
#include "handlers/schedule/reading/catalogue_wire.h"
#include "handlers/schedule/reading/profile_store.h"
#include "handlers/schedule/reading/search_rules.h"
#include "handlers/schedule/reading/timetable_store.h"
#include "handlers/schedule/reading/timetable_wire.h"
#include "handlers/schedule/settings.h"

namespace syncline::schedule {
namespace {

constexpr std::size_t kMaxSearch = 200;
constexpr std::int64_t kMaxChanges = 500, kChanges = 100;
constexpr LessonType kTypes[] = {LessonType::kLecture, LessonType::kPractice, LessonType::kLab,
                                 LessonType::kExam,    LessonType::kCredit,   LessonType::kConsultation,
                                 LessonType::kCourse,  LessonType::kOther};
constexpr std::pair<std::string_view, int> kOrders[] = {
    {"weekday", 1}, {"lesson_number", 2}, {"start_time", 3}};

Terms TermsOf(const Context& context) {
  return Terms(context.config().Of<Settings>().schedule_semesters);
}

std::optional<Day> DayOf(ParameterInput& in, std::string_view name) {
  const Parameter parameter = in.Query(name);
  const auto text = parameter.Text(50);
  if (!text) return std::nullopt;
  const auto day = ParseDay(*text);
  if (!day) parameter.Refuse({"date", "not a day of the form YYYY-MM-DD"});
  return day;
}

std::optional<std::string> DayTextOf(ParameterInput& in, std::string_view name) {
  const auto day = DayOf(in, name);
  return day ? std::optional(DayText(*day)) : std::nullopt;
}

// What old clients call a type may be several.
std::vector<std::string> TypesOf(ParameterInput& in) {
  const Parameter parameter = in.Query("lesson_type");
  const auto code = parameter.Text(50);
  std::vector<std::string> words;
  if (!code) return words;
  for (const LessonType type : kTypes) {
    if (ApiCodeOf(type) == *code) words.emplace_back(WordOf(type));
  }
  if (words.empty()) parameter.Refuse({"enum", "no type of lesson"});
  return words;
}

// Unknown names are ignored, as in the original.
std::array<int, 3> LessonOrderOf(ParameterInput& in) {
  std::array<int, 3> order{};
  std::size_t count = 0;
  for (const std::string& word : SplitWords(in.Query("ordering").Text(200).value_or(""), ',')) {
    const bool is_down = word.starts_with('-');
    for (const auto& [name, key] : kOrders) {
      if (count < order.size() && word.substr(is_down ? 1 : 0) == name) order[count++] = is_down ? -key : key;
    }
  }
  return count > 0 ? order : LessonFilter{}.order;
}

LessonFilter LessonFilterOf(ParameterInput& in) {
  return {.group = in.Query("group").Int(1, kMaxId),
          .subject = in.Query("subject").Int(1, kMaxId),
          .teacher = in.Query("teacher").Int(1, kMaxId),
          .room = in.Query("room").Int(1, kMaxId),
          .institute = in.Query("institute").Int(1, kMaxId),
          .date_from = DayTextOf(in, "date_from"),
          .date_to = DayTextOf(in, "date_to"),
          .weekday = in.Query("weekday").Int(1, 7),
          .number = in.Query("lesson_number").Int(0, kMaxId),
          .subgroup = in.Query("subgroup").Int(1, 99),
          .types = TypesOf(in),
          .search = in.Query("search").Text(kMaxSearch).value_or(""),
          .order = LessonOrderOf(in)};
}

[[noreturn]] void RefuseRows(const MissingRows& missing) {
  std::vector<InputProblem> problems;
  for (const std::string& name : missing)
    problems.push_back({.type = "unknown_row", .source = "query", .place = {name}});
  throw InputError(std::move(problems));
}

// The answer depends on the settings, too.
Current ValidatorsFor(const Request& request, const Context& context, const TimetableState& state,
                      std::string_view more = {}) {
  return ValidatorsOf(request, state,
                      context.config().Of<Settings>().schedule_semesters + "\n" + std::string(more));
}

bool IsKnown(const Request& request, const Current& current) {
  return Evaluate(Conditions(request), current) == Outcome::kNotModified;
}

// Lessons of one group. One statement; one more for a client that has an older answer.
std::optional<Response> GroupAnswer(const Request& request, Context& context, const LessonFilter& filter) {
  const std::string more = std::to_string(*filter.group) + "/" + std::to_string(filter.subgroup.value_or(0));
  if (Conditions(request).if_none_match) {
    const auto state = context.ReadOnce<TimetableStore>(
        [&](TimetableStore& timetable) { return timetable.StateOf(*filter.group); });
    if (!state) return std::nullopt;
    const Current current = ValidatorsFor(request, context, *state, more);
    if (IsKnown(request, current)) return UnchangedLessons(current, *state);
  }
  const auto found =
      context.ReadOnce<TimetableStore>([&](TimetableStore& timetable) { return timetable.OfGroup(filter); });
  if (!found) return std::nullopt;
  return LessonAnswer(PrintLessons(found->lessons, TermsOf(context)),
                      ValidatorsFor(request, context, found->state, more), found->state);
}

// All groups, as a stream, so that the whole timetable is never held in memory.
Response WideAnswer(Context& context, const LessonFilter& filter, const Current& current,
                    const TimetableState& state) {
  const auto write = [&context, filter](BodySink& sink) {
    const Terms terms = TermsOf(context);
    JsonWriter json(sink);
    json.Array();
    context.Read<TimetableStore>([&](TimetableStore& timetable) {
      timetable.Each(filter, [&](const ShownLesson& lesson) { AddLesson(json, lesson, terms); });
    });
    json.Finish();
  };
  Response answer = LessonAnswer("", current, state);
  answer.body = BodyStream(write);
  return answer;
}

// The group of the account, and its subgroup unless the query names one.
void FillOwn(LessonFilter& filter, Context& context) {
  const Profile own = context.ReadOnce<ProfileStore>([](ProfileStore& profiles) { return profiles.Own(); });
  if (!own.group) throw NotFound("no_group");
  filter.group = own.group;
  if (!filter.subgroup && own.subgroup > 0) filter.subgroup = own.subgroup;
}

}  // namespace

// GET /api/schedule/lessons -- lessons that take place; days are inclusive, and lessons without a date always pass.
Response GetLessons(Request& request, Context& context) {
  ParameterInput in(request, EmptyValues::kAreNone);
  const LessonFilter filter = LessonFilterOf(in);
  in.ThrowIfAny();
  if (filter.IsOfOneGroup()) {
    if (auto answer = GroupAnswer(request, context, filter)) return *std::move(answer);
    RefuseRows({"group"});
  }
  const auto [missing, state] = context.Read<TimetableStore>(
      [&](TimetableStore& timetable) { return std::pair(timetable.CheckRows(filter), timetable.State()); });
  if (!missing.empty()) RefuseRows(missing);
  const Current current = ValidatorsFor(request, context, state);
  if (IsKnown(request, current)) return UnchangedLessons(current, state);
  if (!filter.IsNarrow()) return WideAnswer(context, filter, current, state);
  const auto lessons =
      context.Read<TimetableStore>([&](TimetableStore& timetable) { return timetable.Find(filter); });
  return LessonAnswer(PrintLessons(lessons, TermsOf(context)), current, state);
}

// GET /api/schedule/lessons/{id}
Response GetLesson(Request& request, Context& context) {
  const std::int64_t id = PathId(request, "id");
  const auto found =
      context.ReadOnce<TimetableStore>([&](TimetableStore& timetable) { return timetable.FindOne(id); });
  if (!found) throw NotFound("no_such_row");
  return TaggedAnswer(request, PrintLessonDetail(*found, TermsOf(context)));
}

// GET /api/schedule/lessons/my_schedule -- of the account's group, and of its subgroup if one is set.
Response GetMySchedule(Request& request, Context& context) {
  ParameterInput in(request, EmptyValues::kAreNone);
  LessonFilter filter{.date_from = DayTextOf(in, "date_from"),
                      .date_to = DayTextOf(in, "date_to"),
                      .weekday = in.Query("weekday").Int(1, 7),
                      .subgroup = in.Query("subgroup").Int(1, 99),
                      .order = LessonOrderOf(in)};
  in.ThrowIfAny();
  FillOwn(filter, context);
  if (auto answer = GroupAnswer(request, context, filter)) return *std::move(answer);
  throw NotFound("no_group");
}

// GET /api/schedule/lessons/weekly -- by weekday; of a group, a teacher or a room. `date` limits it to the week of that day.
Response GetWeekly(Request& request, Context& context) {
  ParameterInput in(request, EmptyValues::kAreNone);
  LessonFilter filter{.group = in.Query("group").Int(1, kMaxId),
                      .teacher = in.Query("teacher").Int(1, kMaxId),
                      .room = in.Query("room").Int(1, kMaxId),
                      .subgroup = in.Query("subgroup").Int(1, 99)};
  const auto day = DayOf(in, "date");
  in.ThrowIfAny();
  if (!filter.group && !filter.teacher && !filter.room) throw BadInput("group_required");
  if (day) {
    filter.date_from = DayText(MondayOf(*day));
    filter.date_to = DayText(MondayOf(*day) + std::chrono::days(6));
  }
  const auto [owner, lessons, state, current, is_known] =
      context.Read<CatalogueStore, TimetableStore>([&](CatalogueStore& catalogue, TimetableStore& timetable) {
        WeekOwner found;
        const auto group = filter.group ? catalogue.FindGroup(*filter.group) : std::nullopt;
        if (group) found.group = group->group;
        if (filter.teacher) found.teacher = catalogue.FindTeacher(*filter.teacher);
        if (filter.room) found.room = catalogue.FindRoom(*filter.room);
        const bool is_missing = (filter.group && !found.group) || (filter.teacher && !found.teacher) ||
                                (filter.room && !found.room);
        if (is_missing) throw NotFound(filter.group && !found.group ? "no_such_group" : "no_such_row");
        // A group's own revision, so that changes of other groups do not invalidate its answers.
        const bool is_of_group = found.group && !found.teacher && !found.room;
        auto state_of = is_of_group ? timetable.StateOf(found.group->id).value() : timetable.State();
        const Current validators =
            ValidatorsFor(request, context, state_of, found.group ? PrintOne(*found.group, AddGroup) : "");
        const bool has_it = IsKnown(request, validators);
        return std::tuple(std::move(found), has_it ? std::vector<ShownLesson>() : timetable.Find(filter),
                          std::move(state_of), validators, has_it);
      });
  if (is_known) return UnchangedLessons(current, state);
  return LessonAnswer(PrintWeekly(owner, lessons, TermsOf(context)), current, state);
}

// GET /api/schedule/changes -- of one group, or of the account's own; `since` is the `latest` of the answer before, or a day.
Response GetChanges(Request& request, Context& context) {
  ParameterInput in(request, EmptyValues::kAreNone);
  LessonFilter filter{.group = in.Query("group").Int(1, kMaxId)};
  const Parameter since = in.Query("since");
  const std::string text = since.Text(50).value_or("0");
  const auto id = WholeNumber(text);
  const auto day = id ? std::nullopt : ParseDay(text);
  if ((!id && !day) || (id && *id < 0)) since.Refuse({"date", "neither an id nor a day"});
  const std::int64_t limit = in.Query("limit").Int(1, kMaxChanges).value_or(kChanges);
  in.ThrowIfAny();
  if (!filter.group) FillOwn(filter, context);
  std::optional<sql::Time> from;
  if (day) {
    const auto zone = SystemZone(context.config().Of<Settings>().schedule_time_zone);
    from = zone->UtcOf(std::chrono::local_seconds(day->time_since_epoch()));
  }
  auto [state, newest, changes] = context.Read<TimetableStore>([&](TimetableStore& timetable) {
    // Reads `latest` first, so that concurrent changes are not skipped.
    const std::int64_t newest = day ? timetable.NewestChange(*filter.group) : *id;
    return std::tuple(timetable.StateOf(*filter.group), newest,
                      timetable.Changes(*filter.group, id.value_or(0), from, limit + 1));
  });
  if (!state) RefuseRows({"group"});
  const bool has_more = static_cast<std::int64_t>(changes.size()) > limit;
  if (has_more) changes.pop_back();
  return TaggedAnswer(request, PrintChanges(changes, newest, has_more));
}

// GET /api/schedule/rooms/free -- rooms known in the term without a lesson at that time; `data_as_of` says how old the data is.
Response GetFreeRooms(Request& request, Context& context) {
  ParameterInput in(request, EmptyValues::kAreNone);
  const Day day = DayOf(in, "date").value_or(TodayOf(context));
  const Parameter number = in.Query("lesson_number");
  const auto asked = number.Required().Int(1, kMaxLessonNumber);
  const auto time = asked ? UsualTimeOf(static_cast<int>(*asked)) : std::nullopt;
  if (asked && !time) number.Refuse({"enum", "no number with a usual time"});
  const std::string building = in.Query("building").Text(100).value_or("");
  in.ThrowIfAny();
  const Day term = TermsOf(context).BeginOf(day).value_or(day - std::chrono::days(180));
  auto [rooms, state] = context.Read<TimetableStore>([&](TimetableStore& timetable) {
    return std::pair(timetable.FreeRooms(term, day, static_cast<int>(*asked), *time), timetable.State());
  });
  std::erase_if(rooms, [&](const Room& room) {
    return IsPlaceholderRoom(room.name) ||
           (!building.empty() && KeyOf(BuildingOf(room.name)) != KeyOf(building));
  });
  return Response::Json(200, PrintFreeRooms(rooms, DayText(day), *asked, state.data_as_of))
      .With("Cache-Control", "private, no-cache");
}

// GET /api/schedule/freshness -- how old the timetable is.
Response GetFreshness(Request&, Context& context) {
  const Freshness fresh =
      context.Read<TimetableStore>([](TimetableStore& timetable) { return timetable.Fresh(); });
  return Response::Json(200, PrintFreshness(fresh, context.Now())).With("Cache-Control", "private, no-cache");
}

// GET /api/schedule/week -- which week of the term a day is in; today without `date`.
Response GetWeek(Request& request, Context& context) {
  ParameterInput in(request, EmptyValues::kAreNone);
  const Day today = TodayOf(context);
  const Day day = DayOf(in, "date").value_or(today);
  in.ThrowIfAny();
  return TaggedAnswer(request, PrintWeek(day, today, TermsOf(context)));
}

}  // namespace syncline::schedule
