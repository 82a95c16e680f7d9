// handlers/schedule/import_wire: what client scripts send.
#include "handlers/schedule/import_wire.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "handlers/base/errors.h"
#include "handlers/base/input.h"

using namespace syncline;
using namespace syncline::schedule;
using namespace std::chrono;

namespace {

// A body with these lessons.
std::string Body(const std::string& lessons,
                 const std::string& group = R"("name":"б-ОБЛК-11","sstu_id":7001)",
                 const std::string& institute = R"("name":"Институт облачных наук","sstu_id":41)") {
  return "{\"institute\":{" + institute + "},\"group\":{" + group + "},\"lessons\":" + lessons + "}";
}

const std::string kLesson =
    R"({"subject_name":"Теория тумана","teacher_name":"Роса В.П.","teacher_id":901,"teacher_url":"https://u.example/1",)"
    R"("lesson_type":"лек","room":"4/215","weekday":1,"lesson_number":1,"start_time":"08:00:00","end_time":"09:30:00",)"
    R"("specific_date":"2031-10-06","week_number":6,"additional_info":""})";

// The lesson with one member replaced.
std::string With(const std::string& key, const std::string& value) {
  std::string text = kLesson;
  const std::size_t at = text.find("\"" + key + "\":") + key.size() + 3;
  const std::size_t end = text[at] == '"' ? text.find('"', at + 1) + 1 : text.find_first_of(",}", at);
  return text.replace(at, end - at, value);
}

Lesson OneLesson(const std::string& lesson) {
  const ImportedGroup read = ReadImport(Body("[" + lesson + "]"));
  BOOST_REQUIRE_EQUAL(read.lessons.size(), 1u);
  return read.lessons.front();
}

std::string CodeOf(const std::string& body) {
  try {
    ReadImport(body);
    return "";
  } catch (const InputError& error) {
    return PointerOf(error.problems().front().place) + " " + error.code();
  } catch (const Error& error) {
    return error.code();
  }
}

std::string ReasonOf(const std::string& lesson) {
  const ImportedGroup read = ReadImport(Body("[" + lesson + "," + kLesson + "]"));
  BOOST_TEST(read.lessons.size() == 1u);
  return read.rejected == 1 ? read.reasons.at(0).reason : "";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_group_is_read_as_the_script_sends_it) {
  const ImportedGroup read = ReadImport(Body(
      "[" + kLesson + "]",
      R"("institute_name":"x","name":" б-ОБЛК-11 ","sstu_id":7001,"education_form":"evening","degree_type":"master","course_number":2)"));
  BOOST_TEST(read.institute.name == "Институт облачных наук");
  BOOST_TEST((read.institute.upstream_id == 41));
  BOOST_TEST(read.group.name == "б-ОБЛК-11");
  BOOST_TEST((read.group.upstream_id == 7001));
  BOOST_TEST((read.group.education_form == "evening" && read.group.degree_type == "master"));
  BOOST_TEST((read.group.course_number == 2));
  BOOST_REQUIRE_EQUAL(read.lessons.size(), 1u);
  const Lesson& lesson = read.lessons.front();
  BOOST_TEST(lesson.subject == "Теория тумана");
  BOOST_TEST((lesson.type == LessonType::kLecture));
  BOOST_TEST((lesson.date == sys_days(2031y / 10 / 6) && lesson.weekday == 1 && lesson.number == 1));
  BOOST_TEST((lesson.time == LessonTime{480, 570}));
  BOOST_TEST((lesson.week_number == 6));
  BOOST_TEST((lesson.teachers == std::vector<TeacherName>{{"Роса В.П.", 901, "https://u.example/1"}}));
}

BOOST_AUTO_TEST_CASE(a_wrong_frame_is_refused_with_its_place) {
  BOOST_TEST(CodeOf("[]") == " model_attributes_type");
  BOOST_TEST(CodeOf("\"x\"") == " model_attributes_type");
  BOOST_TEST(CodeOf("{") == " json_invalid");
  BOOST_TEST(CodeOf("{\"institute\":{\"name\":\"\xff\"}}") == "body_not_utf8");
  for (const char* body : {"", "{}", "null", "{\"institute\":null}", "{\"institute\":{}}",
                           "{\"institute\":{\"name\":\"\"}}", "{\"institute\":{\"name\":\"  \"}}"})
    BOOST_TEST(CodeOf(body) == "missing_institute_name", body);
  BOOST_TEST(CodeOf(R"({"institute":"x"})") == "/institute model_attributes_type");
  BOOST_TEST(CodeOf(R"({"institute":{"name":5}})") == "/institute/name string_type");
  BOOST_TEST(CodeOf(Body("[]", R"("name":"x","sstu_id":1)", R"("name":"x","sstu_id":"41")")) ==
             "/institute/sstu_id int_type");
  BOOST_TEST(CodeOf(Body("[]", R"("name":"x")")) == "missing_group");
  BOOST_TEST(CodeOf(Body("[]", R"("sstu_id":7)")) == "missing_group");
  BOOST_TEST(CodeOf(Body("[]", R"("name":"x","sstu_id":0)")) == "missing_group");
  BOOST_TEST(CodeOf(Body("[]", R"("name":"x","sstu_id":"7")")) == "/group/sstu_id int_type");
  BOOST_TEST(CodeOf(Body("[]", R"("name":"x","sstu_id":99999999999)")) == "/group/sstu_id int_type");
  BOOST_TEST(CodeOf(Body("[]", R"("name":["x"],"sstu_id":7)")) == "/group/name string_type");
  BOOST_TEST(CodeOf(Body("\"x\"")) == "lessons_not_a_list");
  BOOST_TEST(CodeOf(Body("{\"a\":1}")) == "lessons_not_a_list");
  BOOST_TEST(CodeOf(Body("5")) == "lessons_not_a_list");
  // What Python takes for false is no list, and no lessons either.
  for (const char* lessons : {"null", "[]", "{}", "\"\"", "0", "false"})
    BOOST_TEST(CodeOf(Body(lessons)) == "", lessons);
}

BOOST_AUTO_TEST_CASE(a_bad_lesson_is_counted_and_the_others_are_read) {
  BOOST_TEST(ReasonOf("5") == "object");
  BOOST_TEST(ReasonOf("null") == "object");
  BOOST_TEST(ReasonOf(With("subject_name", "\" \"")) == "subject_name");
  BOOST_TEST(ReasonOf(With("subject_name", "7")) == "subject_name");
  for (const char* value : {"\"x\"", "0", "8", "99", "null", "1.5", "\"\"", "[1]"})
    BOOST_TEST(ReasonOf(With("weekday", value)) == "weekday", value);
  for (const char* value : {"0", "13", "77", "null", "\"x\""})
    BOOST_TEST(ReasonOf(With("lesson_number", value)) == "lesson_number", value);
  for (const char* value : {"\"12.01.2026\"", "\"2031-02-30\"", "20311006", "\"x\""})
    BOOST_TEST(ReasonOf(With("specific_date", value)) == "specific_date", value);
  for (const char* value : {"\"25:00\"", "\"8\"", "\"08:60\"", "\"08:00:00.5\"", "[]x"})
    if (std::string(value) != "[]x") BOOST_TEST(ReasonOf(With("start_time", value)) == "start_time", value);
  BOOST_TEST(ReasonOf(With("end_time", "\"07:59\"")) == "end_time");
  std::string many = "[";
  for (int i = 0; i < 30; ++i) many += "{},";
  const ImportedGroup read = ReadImport(Body(many + kLesson + "]"));
  BOOST_TEST(read.rejected == 30u);
  BOOST_TEST(read.reasons.size() == kMaxReasons);
  BOOST_TEST(read.received == 31u);
}

BOOST_AUTO_TEST_CASE(what_can_be_understood_is_taken) {
  BOOST_TEST((OneLesson(With("weekday", "\"1\"")).weekday == 1));
  BOOST_TEST((OneLesson(With("specific_date", "null")).date == std::nullopt));
  BOOST_TEST((OneLesson(With("specific_date", "\"\"")).date == std::nullopt));
  BOOST_TEST((OneLesson(With("start_time", "null")).time == LessonTime{480, 570}));
  BOOST_TEST((OneLesson(With("start_time", "\"8:05\"")).time.begin == 485));
  BOOST_TEST((OneLesson(With("lesson_type", "\"странное\"")).type == LessonType::kOther));
  BOOST_TEST((OneLesson(With("lesson_type", "null")).type == LessonType::kOther));
  BOOST_TEST((OneLesson(With("week_number", "\"x\"")).week_number == std::nullopt));
  BOOST_TEST((OneLesson(With("week_number", "54")).week_number == 54));
  BOOST_TEST(OneLesson(With("teacher_name", "null")).teachers.empty());
  BOOST_TEST((OneLesson(With("teacher_id", "\"x\"")).teachers.at(0).upstream_id == std::nullopt));
  BOOST_TEST(OneLesson(With("teacher_url", "\"javascript:alert(1)\"")).teachers.at(0).profile_url == "");
  BOOST_TEST(OneLesson(With("room", "\"" + std::string(120, 'x') + "\"")).room.size() == 120u);
  const ImportedGroup read = ReadImport(
      Body("[]", R"("name":"x","sstu_id":7,"education_form":"weird","degree_type":5,"course_number":"x")"));
  BOOST_TEST((!read.group.education_form && !read.group.degree_type && !read.group.course_number));
}

BOOST_AUTO_TEST_CASE(an_exam_on_another_day_than_its_weekday_is_on_that_day) {
  BOOST_TEST(OneLesson(With("specific_date", "\"2031-10-14\"")).weekday == 2);
}

BOOST_AUTO_TEST_CASE(a_subgroup_in_the_place_of_a_room_is_a_subgroup) {
  const Lesson by_room = OneLesson(With("room", "\"Подгр. 2\""));
  BOOST_TEST((by_room.subgroup == 2 && by_room.room.empty()));
  const Lesson by_text = OneLesson(With("additional_info", "\"Подгр. 1; с собой зонт\""));
  BOOST_TEST((by_text.subgroup == 1 && by_text.additional_text == "с собой зонт" && by_text.room == "4/215"));
}

BOOST_AUTO_TEST_CASE(equal_entries_are_one) {
  const ImportedGroup read =
      ReadImport(Body("[" + kLesson + "," + kLesson + "," + With("room", "\"4/216\"") + "]"));
  BOOST_TEST(read.received == 3u);
  BOOST_TEST(read.lessons.size() == 2u);
}

BOOST_AUTO_TEST_CASE(an_import_tells_about_whole_weeks_to_come) {
  const auto lesson = [](sys_days day) {
    Lesson one;
    one.date = day;
    return one;
  };
  const sys_days monday = 2031y / 10 / 6;
  const Window window =
      WindowOfImport({lesson(monday + days(2)), lesson(monday + days(8))}, monday + days(1));
  BOOST_TEST((window.first == monday + days(1)));  // today: the page begins there at the latest
  BOOST_TEST((window.last == monday + days(13)));  // the Sunday
  // A week to come is shown from its Monday.
  BOOST_TEST((WindowOfImport({lesson(monday + days(9))}, monday).first == monday + days(7)));
  // Past days before the first lesson, and weeks before it, are none of its business.
  BOOST_TEST((WindowOfImport({lesson(monday)}, monday + days(3)).first == monday));
  BOOST_TEST((WindowOfImport({lesson(monday + days(7))}, monday).first == monday + days(7)));
  BOOST_TEST((!WindowOfImport({Lesson()}, monday).first));
}

BOOST_AUTO_TEST_CASE(an_exam_weeks_away_does_not_widen_the_window) {
  const sys_days monday = 2031y / 10 / 6;
  const auto lesson = [](sys_days day, LessonType type) {
    Lesson one;
    one.date = day;
    one.type = type;
    return one;
  };
  const Window window = WindowOfImport(
      {lesson(monday, LessonType::kLecture), lesson(monday + days(10), LessonType::kLab),
       lesson(monday + days(24), LessonType::kExam), lesson(monday - days(60), LessonType::kCredit)},
      monday);
  BOOST_TEST((window.first == monday && window.last == monday + days(13)));
  // Nothing but exams: they are what the page shows.
  BOOST_TEST(
      (WindowOfImport({lesson(monday + days(8), LessonType::kExam)}, monday).last == monday + days(13)));
}
