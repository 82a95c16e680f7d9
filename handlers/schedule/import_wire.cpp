#include "handlers/schedule/import_wire.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <span>
#include <tuple>

#include "handlers/base/errors.h"
#include "handlers/base/input.h"
#include "handlers/base/json_input.h"
#include "handlers/base/utf8.h"
#include "handlers/schedule/lessons/name_rules.h"
#include "handlers/schedule/reading/week_rules.h"

namespace syncline::schedule {
namespace {

using Value = JsonSpans::Value;
using Kind = JsonSpans::Kind;

constexpr std::size_t kMaxInstitute = 1000, kMaxGroup = 300, kMaxTeacher = 500, kMaxText = 2000,
                      kMaxUrl = 1000;
constexpr std::int64_t kMaxWeek = 999;

[[noreturn]] void Refuse(const char* type, Place place) {
  throw InputError(std::vector<InputProblem>{{.type = type, .place = std::move(place)}});
}

class Reader {
 public:
  explicit Reader(const JsonSpans& spans) : spans_(spans) {}

  // The last member of that name; null if there is none, or it is null.
  const Value* Find(const Value* object, std::string_view key) const {
    const Value* found = nullptr;
    if (object == nullptr || object->kind != Kind::kObject) return nullptr;
    spans_.EachIn(*object, [&](const Value& member) {
      if (spans_.Key(member) == key) found = &member;
    });
    return found == nullptr || found->kind == Kind::kNull ? nullptr : found;
  }

  // As shown; empty if it is no text.
  std::string Text(const Value* value, std::size_t max) const {
    return value == nullptr || value->kind != Kind::kString ? "" : ShownText(spans_.Text(*value), max);
  }

  // A whole number, also one in quotes.
  std::optional<std::int64_t> Number(const Value* value) const {
    if (value == nullptr || (value->kind != Kind::kNumber && value->kind != Kind::kString))
      return std::nullopt;
    const bool is_text = value->kind == Kind::kString;
    const std::string text = is_text ? spans_.Text(*value) : std::string(spans_.Raw(*value));
    std::int64_t number = 0;
    const auto problem =
        ReadInt(text, is_text ? NumberForm::kText : NumberForm::kJson, -kMaxId, kMaxId, number);
    return problem ? std::nullopt : std::optional(number);
  }

  // Values that are false in Python count as missing.
  bool IsFalsy(const Value* value) const {
    if (value == nullptr || value->kind == Kind::kFalse) return true;
    if (value->kind == Kind::kString) return spans_.Text(*value).empty();
    if (value->kind == Kind::kNumber) return Number(value) == 0;
    bool is_empty = value->kind != Kind::kTrue;
    spans_.EachIn(*value, [&](const Value&) { is_empty = false; });
    return is_empty;
  }

  const JsonSpans& spans() const { return spans_; }

 private:
  const JsonSpans& spans_;
};

const Value* ObjectAt(const Reader& in, const Value* root, const char* key) {
  const Value* value = in.Find(root, key);
  if (in.IsFalsy(value)) return nullptr;
  if (value->kind != Kind::kObject) Refuse("model_attributes_type", {key});
  return value;
}

std::string NameAt(const Reader& in, const Value* object, const char* parent, std::size_t max) {
  const Value* value = in.Find(object, "name");
  if (value != nullptr && value->kind != Kind::kString) Refuse("string_type", {parent, "name"});
  return in.Text(value, max);
}

std::optional<std::int64_t> IdAt(const Reader& in, const Value* object, const char* parent) {
  const Value* value = in.Find(object, "sstu_id");
  if (value == nullptr) return std::nullopt;
  const auto id = value->kind == Kind::kNumber ? in.Number(value) : std::nullopt;
  if (!id) Refuse("int_type", {parent, "sstu_id"});
  if (*id < 0) Refuse("greater_than_equal", {parent, "sstu_id"});
  return *id == 0 ? std::nullopt : id;
}

// "08:00:00" or "8:00" as minutes.
std::optional<int> ClockOf(std::string_view text) {
  const auto take = [&]() -> std::optional<int> {
    int number = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + std::min<std::size_t>(text.size(), 2), number);
    if (error != std::errc() || number < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
  };
  const auto hour = take();
  if (!hour || *hour > 23 || !text.starts_with(':')) return std::nullopt;
  text.remove_prefix(1);
  const auto minute = take();
  if (!minute || *minute > 59) return std::nullopt;
  if (!text.empty()) {
    if (!text.starts_with(':')) return std::nullopt;
    text.remove_prefix(1);
    const auto second = take();
    if (!second || *second > 59 || !text.empty()) return std::nullopt;
  }
  return *hour * 60 + *minute;
}

// Takes "Подгр. 2" off a text: 2, and what is left. 0 if there is none.
int TakeSubgroup(std::string& text) {
  // Some parsers report it as a room.
  if (!NamesSubgroup(text)) return 0;
  const std::size_t digits = text.find_first_of("0123456789");
  if (digits == std::string::npos) return 0;
  int number = 0;
  const char* const last = text.data() + text.size();
  const char* const end = std::from_chars(text.data() + digits, last, number).ptr;
  if (number < 1 || number > 99) return 0;
  std::string rest(end, last);
  rest.erase(0, std::min(rest.find_first_not_of(" ;:,."), rest.size()));
  text = rest;
  return number;
}

// Reads one lesson; the name of the member that is wrong, or nothing.
const char* ReadLesson(const Reader& in, const Value& value, Lesson& lesson) {
  if (value.kind != Kind::kObject) return "object";
  lesson.subject = in.Text(in.Find(&value, "subject_name"), kMaxText);
  if (lesson.subject.empty()) return "subject_name";
  const std::string date = in.Text(in.Find(&value, "specific_date"), kMaxText);
  if (const Value* given = in.Find(&value, "specific_date"); given != nullptr && given->kind != Kind::kString)
    return "specific_date";
  if (!date.empty() && date != "null") {
    lesson.date = ParseDay(date);
    if (!lesson.date) return "specific_date";
  }
  const auto weekday = in.Number(in.Find(&value, "weekday"));
  if (!weekday || *weekday < 1 || *weekday > 7) return "weekday";
  // The date is more reliable: some parsers move an exam to another day and keep the old weekday.
  lesson.weekday = lesson.date ? WeekdayOf(*lesson.date) : static_cast<int>(*weekday);
  const auto number = in.Number(in.Find(&value, "lesson_number"));
  if (!number || *number < 1 || *number > kMaxLessonNumber) return "lesson_number";
  lesson.number = static_cast<int>(*number);
  const auto usual = UsualTimeOf(lesson.number);
  const auto clock = [&](const char* key, int LessonTime::*part) -> std::optional<int> {
    const Value* given = in.Find(&value, key);
    if (in.IsFalsy(given)) return usual ? std::optional((*usual).*part) : std::nullopt;
    return ClockOf(in.Text(given, kMaxText));
  };
  const auto begin = clock("start_time", &LessonTime::begin);
  if (!begin) return "start_time";
  const auto end = clock("end_time", &LessonTime::end);
  if (!end || *end < *begin) return "end_time";
  lesson.time = {*begin, *end};
  lesson.type_text = in.Text(in.Find(&value, "lesson_type"), kMaxText);
  lesson.type = LessonTypeOfText(lesson.type_text);
  lesson.room = in.Text(in.Find(&value, "room"), kMaxText);
  lesson.additional_text = in.Text(in.Find(&value, "additional_info"), kMaxText);
  lesson.subgroup = TakeSubgroup(lesson.additional_text);
  if (const int subgroup = TakeSubgroup(lesson.room); subgroup > 0) lesson.subgroup = subgroup;
  if (const auto week = in.Number(in.Find(&value, "week_number")); week && *week >= 0 && *week <= kMaxWeek)
    lesson.week_number = static_cast<int>(*week);
  TeacherName teacher{.name = in.Text(in.Find(&value, "teacher_name"), kMaxTeacher)};
  if (teacher.name.empty()) return nullptr;
  if (const auto id = in.Number(in.Find(&value, "teacher_id")); id && *id > 0) teacher.upstream_id = id;
  const std::string url = in.Text(in.Find(&value, "teacher_url"), kMaxUrl);
  if (url.starts_with("https://") || url.starts_with("http://")) teacher.profile_url = url;
  lesson.teachers.push_back(std::move(teacher));
  return nullptr;
}

// Equal entries come from a parser bug.
auto IdentityOf(const Lesson& lesson) {
  return std::tuple(lesson.date, lesson.weekday, lesson.number, KeyOf(lesson.subject), lesson.type,
                    lesson.subgroup, KeyOf(lesson.room),
                    lesson.teachers.empty() ? "" : KeyOf(lesson.teachers.front().name));
}

}  // namespace

ImportedGroup ReadImport(std::string_view body) {
  if (!IsUtf8(body)) throw BadInput("body_not_utf8");
  const JsonSpans spans = ParseJsonBody(body);
  const Reader in(spans);
  const Value* root = &spans.Root();
  if (root->kind != Kind::kObject && root->kind != Kind::kNull) Refuse("model_attributes_type", {});
  const Value* institute = ObjectAt(in, root, "institute");
  const Value* group = ObjectAt(in, root, "group");
  ImportedGroup read;
  read.institute.name = NameAt(in, institute, "institute", kMaxInstitute);
  if (read.institute.name.empty()) throw BadInput("missing_institute_name");
  read.institute.upstream_id = IdAt(in, institute, "institute");
  read.group.name = NameAt(in, group, "group", kMaxGroup);
  read.group.upstream_id = IdAt(in, group, "group");
  if (read.group.name.empty() || !read.group.upstream_id) throw BadInput("missing_group");
  // Words that we do not know are ignored.
  const auto word = [&](const char* key,
                        std::span<const std::string_view> known) -> std::optional<std::string> {
    const std::string text = in.Text(in.Find(group, key), kMaxText);
    return std::find(known.begin(), known.end(), text) == known.end() ? std::nullopt : std::optional(text);
  };
  read.group.education_form = word("education_form", kEducationForms);
  read.group.degree_type = word("degree_type", kDegreeTypes);
  if (const auto course = in.Number(in.Find(group, "course_number")); course && *course >= 1 && *course <= 9)
    read.group.course_number = static_cast<int>(*course);
  const Value* lessons = in.Find(root, "lessons");
  if (in.IsFalsy(lessons)) return read;
  if (lessons->kind != Kind::kArray) throw BadInput("lessons_not_a_list");
  std::set<decltype(IdentityOf(std::declval<const Lesson&>()))> seen;
  spans.EachIn(*lessons, [&](const Value& value) {
    const std::size_t index = read.received++;
    if (index >= kMaxImportedLessons) Refuse("too_long", {"lessons"});
    Lesson lesson;
    if (const char* wrong = ReadLesson(in, value, lesson)) {
      if (read.rejected++ < kMaxReasons) read.reasons.push_back({index, wrong});
    } else if (seen.insert(IdentityOf(lesson)).second) {
      read.lessons.push_back(std::move(lesson));
    }
  });
  return read;
}

Window WindowOfImport(const std::vector<Lesson>& lessons, Day today) {
  Window window;
  window.lists_exams = false;
  // A script gives an exam of the page the date that a list says, which may be weeks away from the page.
  const auto is_exam = [](const Lesson& lesson) {
    return lesson.type == LessonType::kExam || lesson.type == LessonType::kCredit;
  };
  const bool has_others = std::any_of(lessons.begin(), lessons.end(),
                                      [&](const Lesson& lesson) { return lesson.date && !is_exam(lesson); });
  for (const Lesson& lesson : lessons) {
    if (!lesson.date || (has_others && is_exam(lesson))) continue;
    window.first = std::min(window.first.value_or(*lesson.date), *lesson.date);
    window.last = std::max(window.last.value_or(*lesson.date), *lesson.date);
  }
  if (!window.first) return window;
  window.last = MondayOf(*window.last) + std::chrono::days(6);
  const Day monday = MondayOf(*window.first);
  if (monday > today) {
    window.first = monday;
  } else if (monday == MondayOf(today)) {
    window.first = std::min(*window.first, today);
  }
  return window;
}

}  // namespace syncline::schedule
