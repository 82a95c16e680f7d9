// handlers/schedule/reading: weeks of terms, searches, and what answers look like.
#include <boost/test/unit_test.hpp>
#include <string>

#include "handlers/base/errors.h"
#include "handlers/base/json.h"
#include "handlers/schedule/reading/answer_wire.h"
#include "handlers/schedule/reading/search_rules.h"
#include "handlers/schedule/reading/timetable_wire.h"
#include "handlers/schedule/reading/week_rules.h"

using namespace syncline;
using namespace syncline::schedule;
using namespace std::chrono;

BOOST_AUTO_TEST_CASE(days_are_read_strictly) {
  BOOST_TEST((ParseDay("2031-10-06") == sys_days(2031y / 10 / 6)));
  BOOST_TEST((ParseDay("2028-02-29") == sys_days(2028y / 2 / 29)));
  for (const char* text : {"", "31.12", "06.10.2031", "2031-10-6", "2031-13-01", "2031-02-29",
                           "2031-10-06T00:00", "x031-10-06", "2031-1\u0660-06", "1031-10-06"})
    BOOST_TEST(!ParseDay(text), text);
}

BOOST_AUTO_TEST_CASE(the_usual_terms_begin_in_september_and_february) {
  const Terms terms("");
  BOOST_TEST((terms.BeginOf(sys_days(2031y / 9 / 1)) == sys_days(2031y / 9 / 1)));
  BOOST_TEST((terms.BeginOf(sys_days(2031y / 8 / 31)) == sys_days(2031y / 2 / 10)));
  BOOST_TEST((terms.BeginOf(sys_days(2032y / 1 / 20)) == sys_days(2031y / 9 / 1)));
  BOOST_TEST((terms.BeginOf(sys_days(2032y / 2 / 9)) == sys_days(2032y / 2 / 9)));
}

BOOST_AUTO_TEST_CASE(weeks_are_counted_from_the_week_of_the_first_day) {
  // September 1, 2031 is a Monday.
  const Terms terms("2031-09-01 2032-02-11");
  BOOST_TEST((terms.WeekOf(sys_days(2031y / 9 / 1)) == 1));
  BOOST_TEST((terms.WeekOf(sys_days(2031y / 9 / 7)) == 1));
  BOOST_TEST((terms.WeekOf(sys_days(2031y / 9 / 8)) == 2));
  BOOST_TEST((terms.WeekOf(sys_days(2031y / 12 / 29)) == 18));
  // A term that begins on a Wednesday: that week is its first.
  BOOST_TEST((terms.WeekOf(sys_days(2032y / 2 / 11)) == 1));
  BOOST_TEST((terms.WeekOf(sys_days(2032y / 2 / 16)) == 2));
  BOOST_TEST(!terms.WeekOf(sys_days(2031y / 8 / 31)));
  BOOST_TEST(ParityOf(1) == "odd");
  BOOST_TEST(ParityOf(18) == "even");
}

BOOST_AUTO_TEST_CASE(terms_may_stand_in_any_order_and_must_be_days) {
  BOOST_TEST(
      (Terms(" 2032-02-09  2031-09-01 ").BeginOf(sys_days(2031y / 10 / 1)) == sys_days(2031y / 9 / 1)));
  BOOST_CHECK_THROW(Terms("2031-09-01,2032-02-09"), Error);
}

BOOST_AUTO_TEST_CASE(all_words_of_a_search_are_wanted_and_none_is_an_operator) {
  BOOST_TEST(SearchPatterns("").empty());
  BOOST_TEST(SearchPatterns("   ").empty());
  BOOST_TEST(SearchPatterns("теория  тумана").size() == 2u);
  BOOST_TEST(SearchPatterns("100%").at(0) == "%100\\%%");
  BOOST_TEST(SearchPatterns("a_b").at(0).find("\\_") != std::string::npos);
  BOOST_TEST(HasAllWords("Институт облачных наук", "НАУК институт"));
  BOOST_TEST(HasAllWords("Ёлочный институт", "елочный"));
  BOOST_TEST(!HasAllWords("Институт облачных наук", "наук физики"));
  BOOST_TEST(HasAllWords("x", ""));
}

BOOST_AUTO_TEST_CASE(rooms_that_are_none_and_buildings_are_told_by_their_names) {
  for (const char* name : {"-", "—", "?", "", "нет", "НЕТ", "_"}) BOOST_TEST(IsPlaceholderRoom(name), name);
  for (const char* name : {"4/215", "Спортзал", "1"}) BOOST_TEST(!IsPlaceholderRoom(name), name);
  BOOST_TEST(BuildingOf("4/215") == "4");
  BOOST_TEST(BuildingOf("Спортзал") == "");
  BOOST_TEST(BuildingOf("/215") == "");
}

BOOST_AUTO_TEST_CASE(a_lesson_has_the_keys_of_the_original_and_ours) {
  ShownLesson lesson;
  lesson.id = 5120;
  lesson.type = LessonType::kExam;
  lesson.date = "2031-10-07";
  lesson.weekday = 2;
  lesson.subgroup = 1;
  lesson.additional_text = "x";
  lesson.teachers = {{31, 901, "A"}, {32, std::nullopt, "B"}};
  const std::string json = PrintLessons({lesson}, Terms("2031-09-01"));
  for (const char* part :
       {R"("teacher":31,"teacher_name":"A")", R"("lesson_type":"экз")", R"("weekday_display":"Вторник")",
        R"("additional_info":"Подгр. 1; x")", R"("subgroup":1)", R"("week_index":6,"parity":"even")",
        R"("is_active":true)",
        R"("teachers":[{"id":31,"full_name":"A","sstu_id":901},{"id":32,"full_name":"B","sstu_id":null}])"})
    BOOST_TEST(json.find(part) != std::string::npos, part << " in " << json);
  lesson.date.reset();
  lesson.subgroup = 0;
  lesson.teachers.clear();
  const std::string other = PrintLessons({lesson}, Terms("2031-09-01"));
  for (const char* part :
       {R"("teacher":null,"teacher_name":null)", R"("specific_date":null)", R"("subgroup":null)",
        R"("week_index":null,"parity":null)", R"("additional_info":"x")", R"("teachers":[])"})
    BOOST_TEST(other.find(part) != std::string::npos, part << " in " << other);
}

BOOST_AUTO_TEST_CASE(validators_change_with_the_revision_the_query_and_the_settings) {
  Request request;
  request.path = "/api/schedule/lessons/";
  request.query = "group=1";
  const TimetableState state{.revision = 7};
  const auto tag = [&](const Request& asked, const TimetableState& of, const char* more) {
    return ValidatorsOf(asked, of, more).etag->Print();
  };
  const std::string first = tag(request, state, "x");
  BOOST_TEST(first == tag(request, state, "x"));
  BOOST_TEST(first != tag(request, {.revision = 8}, "x"));
  BOOST_TEST(first != tag(request, state, "y"));
  request.query = "group=2";
  BOOST_TEST(first != tag(request, state, "x"));
}

BOOST_AUTO_TEST_CASE(links_to_pages_keep_the_query_and_trust_no_strange_host) {
  Request request;
  request.path = "/api/schedule/subjects/";
  request.query = "search=%D0%B0&page=2&ordering=name";
  request.headers = {{"host", "example.org:8443"}, {"syncline-scheme", "https"}};
  BOOST_TEST(LinkToPage(request, 3) ==
             "https://example.org:8443/api/schedule/subjects/?search=%D0%B0&ordering=name&page=3");
  request.headers = {{"host", "evil.example/\"x"}};
  BOOST_TEST(LinkToPage(request, 3) == "/api/schedule/subjects/?search=%D0%B0&ordering=name&page=3");
}
