// handlers/schedule/calendar: iCalendar and time zones as bytes, and what a feed shows.
#include "handlers/schedule/calendar/calendar_wire.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/errors.h"
#include "handlers/base/utf8.h"
#include "handlers/schedule/calendar/feed_rules.h"
#include "handlers/schedule/calendar/zone_wire.h"

using namespace syncline;
using namespace syncline::schedule;
using namespace std::chrono;

namespace {

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t at = 0;
  for (std::size_t end = text.find("\r\n"); end != std::string::npos; end = text.find("\r\n", at)) {
    lines.push_back(text.substr(at, end - at));
    at = end + 2;
  }
  BOOST_REQUIRE_EQUAL(at, text.size());
  return lines;
}

// As a reader does it (RFC 5545, 3.1).
std::string Unfolded(std::string text) {
  for (std::size_t at = text.find("\r\n "); at != std::string::npos; at = text.find("\r\n ", at))
    text.erase(at, 3);
  return text;
}

std::string Unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      plain += text[i];
      continue;
    }
    const char c = text[++i];
    plain += c == 'n' || c == 'N' ? '\n' : c;
  }
  return plain;
}

std::string Folded(std::string_view name, std::string_view value) {
  std::string out;
  AppendFolded(out, name, value);
  return out;
}

// What every reader may rely on.
void CheckLines(const std::string& text) {
  for (const std::string& line : LinesOf(text)) {
    BOOST_TEST(line.size() <= 75u, line);
    BOOST_TEST(IsUtf8(line), line);
    BOOST_TEST(line.find_first_not_of(" \t") != std::string::npos, "a blank line");
  }
}

void CheckRoundTrip(const std::string& value) {
  const std::string folded = Folded("DESCRIPTION", EscapedText(value));
  CheckLines(folded);
  const std::string line = Unfolded(folded);
  BOOST_TEST(Unescaped(line.substr(12, line.size() - 14)) == value, value);
}

std::string Repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

ShownLesson SomeLesson() {
  ShownLesson lesson;
  lesson.group_name = "б-ОБЛК-11";
  lesson.subject_name = "Теория тумана";
  lesson.type = LessonType::kLecture;
  lesson.room_name = "4/215";
  lesson.date = "2031-10-06";
  lesson.number = 1;
  lesson.start_time = "08:00:00";
  lesson.end_time = "09:30:00";
  lesson.uid = "8f0c6b1a-0000-5000-8000-000000000001";
  lesson.sequence = 3;
  lesson.modified_at = sys_days(2031y / 9 / 30) + 12h + 34min + 56s;
  lesson.teachers = {{1, 901, "Роса В.П."}, {2, std::nullopt, "Иней А.А."}};
  return lesson;
}

std::string Printed(const std::vector<CalendarEvent>& events, const std::string& zone = "Europe/Saratov") {
  return PrintCalendar({.name = "Имя", .description = "", .zone = SystemZone(zone).get(), .events = events});
}

CalendarEvent At(local_seconds begin, std::string uid = "u") {
  return {.uid = std::move(uid), .begins_at = begin, .ends_at = begin + 90min, .summary = "x"};
}

std::size_t CountOf(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

BOOST_AUTO_TEST_CASE(lines_have_at_most_75_octets_and_are_whole_characters) {
  for (std::size_t length = 55; length <= 80; ++length) {
    CheckRoundTrip(std::string(length, 'x') + "\n•");
    CheckRoundTrip(std::string(length, 'x') + "\n\U0001F50A and more");
    CheckRoundTrip(std::string(length, 'x') + "\\,;\\\\;,,");
    CheckRoundTrip(Repeated("ж", length));
    CheckRoundTrip("x" + Repeated("ж", length));
  }
  CheckRoundTrip(Repeated("Ё", 200));
  CheckRoundTrip("");
}

BOOST_AUTO_TEST_CASE(a_value_that_ends_at_the_75th_octet_has_no_empty_continuation) {
  // "DESCRIPTION:" has 12.
  BOOST_TEST(LinesOf(Folded("DESCRIPTION", std::string(63, 'x'))).size() == 1u);
  BOOST_TEST(LinesOf(Folded("DESCRIPTION", std::string(64, 'x'))).size() == 2u);
  BOOST_TEST(LinesOf(Folded("DESCRIPTION", std::string(63 + 74, 'x'))).size() == 2u);
}

BOOST_AUTO_TEST_CASE(no_continuation_is_blank_alone) {
  for (std::size_t length = 60; length <= 76; ++length) {
    CheckRoundTrip(std::string(length, 'x') + " ");
    CheckRoundTrip(std::string(length, 'x') + "   y");
    CheckRoundTrip(Repeated("ж", length / 2) + "  ");
  }
}

BOOST_AUTO_TEST_CASE(long_runs_of_blanks_part_no_character) {
  for (const std::string& shown :
       {std::string("x"), std::string("ж"), std::string("\U0001F50A"), std::string("\\"), std::string(",")}) {
    for (std::size_t before = 0; before < 80; ++before) {
      const std::string text = std::string(before, 'y') + shown + std::string(200, ' ') + "z";
      const std::string folded = Folded("X", EscapedText(text));
      for (const std::string& line : LinesOf(folded)) BOOST_REQUIRE(line.size() <= 75 && IsUtf8(line));
      const std::string line = Unfolded(folded);
      BOOST_REQUIRE_EQUAL(Unescaped(line.substr(2, line.size() - 4)), text);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_fold_never_parts_a_backslash_from_what_it_escapes) {
  for (std::size_t length = 50; length <= 80; ++length) {
    for (const char* end : {"\\\\,;\n,", "\\x      ", "\\\\,       "}) {
      for (const std::string& line : LinesOf(Folded("SUMMARY", EscapedText(std::string(length, 'x') + end))))
        BOOST_TEST((line.size() - line.find_last_not_of('\\') - 1) % 2 == 0u, line);
    }
  }
}

BOOST_AUTO_TEST_CASE(text_of_any_kind_survives) {
  std::mt19937 random(20311006);
  const std::vector<std::string> pieces{"a",  "ж", "•", "\U0001F50A", "\\", ",",       ";",
                                        "\n", " ", ":", "\"",         "\t", "Подгр. 1"};
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    // Runs of blanks longer than a line cannot be folded otherwise than into blank lines.
    for (auto left = random() % 120; left > 0; --left) text += pieces[random() % pieces.size()];
    const std::string folded = Folded("X", EscapedText(text));
    const std::string line = Unfolded(folded);
    BOOST_REQUIRE_EQUAL(Unescaped(line.substr(2, line.size() - 4)), text);
    for (const std::string& one : LinesOf(folded)) BOOST_REQUIRE(one.size() <= 75 && IsUtf8(one));
  }
}

BOOST_AUTO_TEST_CASE(what_separates_values_is_escaped) {
  BOOST_TEST(EscapedText("a,b;c\\d:e\"f") == "a\\,b\\;c\\\\d:e\"f");
}

BOOST_AUTO_TEST_CASE(text_cannot_become_structure) {
  const std::string text = EscapedText("x\r\nEND:VEVENT\rBEGIN:VEVENT\nATTACH:y\x01\x7f");
  BOOST_TEST(text.find('\n') == std::string::npos);
  BOOST_TEST(text.find('\r') == std::string::npos);
  BOOST_TEST(text == "x\\nEND:VEVENT\\nBEGIN:VEVENT\\nATTACH:y");
  BOOST_TEST(IsUtf8(EscapedText("broken \xff\xd0")));
}

BOOST_AUTO_TEST_CASE(an_event_says_when_it_was_revised_and_not_when_it_was_asked_for) {
  const std::string text = Printed({EventOf(SomeLesson(), false)});
  CheckLines(text);
  for (const char* line :
       {"UID:8f0c6b1a-0000-5000-8000-000000000001", "DTSTAMP:20310930T123456Z",
        "LAST-MODIFIED:20310930T123456Z", "SEQUENCE:3", "DTSTART;TZID=Europe/Saratov:20311006T080000",
        "DTEND;TZID=Europe/Saratov:20311006T093000", "LOCATION:4/215", "STATUS:CONFIRMED",
        "REFRESH-INTERVAL;VALUE=DURATION:PT3H", "X-PUBLISHED-TTL:PT3H", "VERSION:2.0", "NAME:Имя",
        "X-WR-CALNAME:Имя"})
    BOOST_TEST(text.find("\r\n" + std::string(line) + "\r\n") != std::string::npos, line);
  BOOST_TEST(text.find("METHOD") == std::string::npos);
  BOOST_TEST(text.find("RRULE") == std::string::npos);
  BOOST_TEST(text == Printed({EventOf(SomeLesson(), false)}));
}

BOOST_AUTO_TEST_CASE(a_removed_lesson_is_a_cancelled_event) {
  ShownLesson lesson = SomeLesson();
  lesson.is_removed = true;
  const std::string text = Printed({EventOf(lesson, false)});
  BOOST_TEST(text.find("STATUS:CANCELLED") != std::string::npos);
  BOOST_TEST(text.find("SUMMARY:Отменено: Теория тумана") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_exam_whose_hour_is_not_known_takes_the_day) {
  ShownLesson lesson = SomeLesson();
  lesson.number = 0;
  lesson.start_time = lesson.end_time = "00:00:00";
  const std::string text = Printed({EventOf(lesson, false)});
  BOOST_TEST(text.find("DTSTART;VALUE=DATE:20311006\r\nDTEND;VALUE=DATE:20311007\r\n") != std::string::npos);
  BOOST_TEST(text.find("TRANSP:TRANSPARENT") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(feeds_of_teachers_and_rooms_name_the_group) {
  BOOST_TEST(EventOf(SomeLesson(), true).summary.find("б-ОБЛК-11") != std::string::npos);
  BOOST_TEST(EventOf(SomeLesson(), false).summary.find("б-ОБЛК-11") == std::string::npos);
  ShownLesson lesson = SomeLesson();
  lesson.subgroup = 2;
  BOOST_TEST(EventOf(lesson, false).summary.find("подгр. 2") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(events_are_in_the_order_of_their_begin_then_of_their_uid) {
  const local_seconds noon = local_days(2031y / 10 / 6) + 12h;
  const std::string text = Printed({At(noon, "b"), At(noon, "a"), At(noon - 1h, "c")});
  const std::string other = Printed({At(noon - 1h, "c"), At(noon, "a"), At(noon, "b")});
  BOOST_TEST(text == other);
  BOOST_TEST(text.find("UID:c") < text.find("UID:a"));
  BOOST_TEST(text.find("UID:a") < text.find("UID:b"));
}

BOOST_AUTO_TEST_CASE(an_empty_calendar_still_has_a_component) {
  const std::string text = Printed({});
  BOOST_TEST(CountOf(text, "BEGIN:VTIMEZONE") == 1u);
  BOOST_TEST(CountOf(text, "BEGIN:VEVENT") == 0u);
}

BOOST_AUTO_TEST_CASE(the_zone_of_a_calendar_has_the_offsets_of_its_events_and_no_rule) {
  const std::string today =
      Printed({At(local_days(2031y / 1 / 15) + 8h), At(local_days(2031y / 7 / 15) + 8h)});
  BOOST_TEST(CountOf(today, "TZOFFSETTO:+0400") == 1u);
  BOOST_TEST(CountOf(today, "BEGIN:STANDARD") == 1u);
  const std::string moved =
      Printed({At(local_days(2016y / 11 / 30) + 8h), At(local_days(2016y / 12 / 6) + 8h)});
  BOOST_TEST(CountOf(moved, "BEGIN:STANDARD") == 2u);
  BOOST_TEST(moved.find("DTSTART:20161204T020000\r\nTZOFFSETFROM:+0300\r\nTZOFFSETTO:+0400") !=
             std::string::npos);
  BOOST_TEST(moved.find("RRULE") == std::string::npos);
  // Before the events, once.
  BOOST_TEST(moved.find("BEGIN:VTIMEZONE") < moved.find("BEGIN:VEVENT"));
  const std::string berlin =
      Printed({At(local_days(2031y / 3 / 1) + 8h), At(local_days(2031y / 12 / 1) + 8h)}, "Europe/Berlin");
  BOOST_TEST(CountOf(berlin, "BEGIN:DAYLIGHT") == 1u);
  BOOST_TEST(berlin.find("DTSTART:20310330T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200") !=
             std::string::npos);
  BOOST_TEST(berlin.find("DTSTART:20311026T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(instants_of_zones_are_those_of_the_system) {
  const auto saratov = SystemZone("Europe/Saratov");
  BOOST_TEST((saratov->UtcOf(local_days(2016y / 11 / 30) + 8h) == sys_days(2016y / 11 / 30) + 5h));
  BOOST_TEST((saratov->UtcOf(local_days(2016y / 12 / 6) + 8h) == sys_days(2016y / 12 / 6) + 4h));
  BOOST_TEST((saratov->UtcOf(local_days(2031y / 7 / 15) + 8h) == sys_days(2031y / 7 / 15) + 4h));
  for (const char* name : {"Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Kolkata", "UTC"}) {
    const auto zone = SystemZone(name);
    // The C library reads the same files.
    setenv("TZ", name, 1);
    tzset();
    for (sys_seconds at = sys_days(1990y / 1 / 1); at < sys_days(2060y / 1 / 1); at += 31h * 7) {
      const std::time_t time = at.time_since_epoch().count();
      std::tm local{};
      localtime_r(&time, &local);
      BOOST_REQUIRE_MESSAGE(zone->OffsetAt(at).from_utc.count() == local.tm_gmtoff, name << " at " << time);
      BOOST_REQUIRE_MESSAGE(zone->UtcOf(zone->LocalOf(at)) == at ||
                                zone->OffsetAt(at - 3h).from_utc > zone->OffsetAt(at).from_utc,
                            name << " at " << time);
    }
  }
  unsetenv("TZ");
}

BOOST_AUTO_TEST_CASE(changes_of_a_zone_are_in_order_and_in_force_from_their_second_on) {
  for (const char* name : {"Europe/Saratov", "Europe/Berlin", "America/New_York"}) {
    const auto zone = SystemZone(name);
    for (std::size_t i = 0; i < zone->changes.size(); ++i) {
      const ZoneChange& change = zone->changes[i];
      BOOST_TEST((i == 0 || zone->changes[i - 1].at < change.at), name);
      BOOST_TEST((&zone->OffsetAt(change.at) == &change.to), name);
    }
  }
}

BOOST_AUTO_TEST_CASE(files_that_are_no_zone_are_refused) {
  BOOST_CHECK_THROW(ParseZone("x", ""), Error);
  BOOST_CHECK_THROW(ParseZone("x", "TZif2"), Error);
  BOOST_CHECK_THROW(SystemZone("Nowhere/At_All"), Error);
  BOOST_CHECK_THROW(SystemZone("../../../etc/passwd"), Error);
  BOOST_CHECK_THROW(SystemZone(""), Error);
}

BOOST_AUTO_TEST_CASE(a_feed_shows_the_running_term_and_at_least_thirty_days) {
  const auto zone = SystemZone("Europe/Saratov");
  const LiveFeed feed{.kind = FeedKind::kGroup, .shown = 7};
  const Terms terms("");
  // In mid-term: from its first day.
  const FeedWindow autumn = WindowOf(feed, sys_days(2031y / 11 / 20), terms, *zone);
  BOOST_TEST((autumn.first == sys_days(2031y / 9 / 1)));
  BOOST_TEST((autumn.last == sys_days(2031y / 11 / 20) + days(180)));
  BOOST_TEST((autumn.removed_since == sys_days(2031y / 10 / 20) + 20h));  // midnight there
  // In the first days of a term the end of the last one stays.
  BOOST_TEST((WindowOf(feed, sys_days(2031y / 9 / 3), terms, *zone).first == sys_days(2031y / 8 / 4)));
  BOOST_TEST((autumn.group == 7 && !autumn.teacher && !autumn.room));
  BOOST_TEST(
      (WindowOf({.kind = FeedKind::kTeacher, .shown = 7}, sys_days(2031y / 9 / 3), terms, *zone).teacher ==
       7));
  BOOST_TEST(
      (WindowOf({.kind = FeedKind::kRoom, .shown = 7}, sys_days(2031y / 9 / 3), terms, *zone).room == 7));
}
