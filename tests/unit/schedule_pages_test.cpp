// handlers/schedule/pages: what is read from the pages of a timetable, and which pages are not believed.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <string>

#include "handlers/base/utf8.h"
#include "handlers/schedule/pages/group_page_wire.h"
#include "handlers/schedule/pages/html_wire.h"
#include "handlers/schedule/pages/index_page_wire.h"

using namespace syncline::schedule;
using namespace std::chrono_literals;

namespace {

constexpr Day kToday = Day(2031y / 10 / 6);  // a Monday

std::string Whole(const std::string& body, const std::string& title = "Расписание") {
  return "<html><head><title>" + title + "</title></head><body>" + body + "</body></html>\n";
}

std::string Slot(const std::string& tag, const std::string& cells) {
  return "<div class=\"day-lesson\" data-lesson=\"" + tag + "\">" + cells + "</div>";
}

std::string Cell(const std::string& more, const std::string& name = "Теория тумана",
                 const std::string& type = "(лекц)",
                 const std::string& hour = "08:00 - 09:30<span>&mdash;</span>") {
  return "<div><div class=\"lesson-hour\">" + hour + "</div><div class=\"lesson-name\">" + name +
         "</div><div class=\"lesson-type\">" + type + "</div>" + more + "</div>";
}

std::string DayBox(const std::string& head, const std::string& slots) {
  return "<div class=\"day \"><div class=\"day-header\"><div>" + head + "</div></div>" + slots + "</div>";
}

std::string Calendar(const std::string& days) {
  return Whole(
      "<div class=\"calendar\"><div class=\"week\">"
      "<div class=\"day day-header-color-blue\"><div class=\"day-header day-header-hour\">Пары</div>"
      "<div class=\"day-lesson\"><span>1</span>08:00 - 09:30</div></div>" +
      days + "</div></div>");
}

std::string Monday(const std::string& slots) {
  return Calendar(DayBox("<span>Понедельник</span>06.10", slots));
}

ParsedGroupPage Read(const std::string& html, const std::string& type = "text/html; charset=utf-8",
                     const std::string& name = "б-ОБЛК-11", Day today = kToday) {
  return ParseGroupPage({.bytes = html,
                         .content_type = type,
                         .url = "https://site.example/rasp/group/7001",
                         .group_name = name,
                         .today = today});
}

Lesson OnlyOne(const std::string& html) {
  const auto page = Read(html);
  BOOST_REQUIRE_EQUAL(page.lessons.size(), 1U);
  return page.lessons[0];
}

// "" if the page is believed.
std::string WhyNot(const std::string& html, const std::string& type = "text/html; charset=utf-8",
                   const std::string& name = "б-ОБЛК-11") {
  try {
    Read(html, type, name);
  } catch (const PageRefused& refused) {
    return refused.code();
  }
  return "";
}

std::string Room(const std::string& text, const std::string& more = "") {
  return "<div class=\"lesson-room" + more + "\">" + text + "</div>";
}
std::string Teacher(const std::string& inner) {
  return "<div class=\"lesson-teacher\">" + inner + "</div>";
}
std::string Linked(const std::string& number, const std::string& name) {
  return Teacher("<a href=\"https://www.uni.example/teachers/" + number + "-x.html\">" + name + "</a>");
}

std::string Cp1251(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      out += text[i];
      continue;
    }
    const unsigned code = (byte & 0x1fU) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3fU);
    out += static_cast<char>(code >= 0x410 && code <= 0x44f ? code - 0x410 + 0xc0 : '?');
  }
  return out;
}

std::string Card(const std::string& id, const std::string& name, const std::string& body) {
  return "<div class=\"card\"><div class=\"card-header\" id=\"" + id +
         "\"><div class=\"institute collapsed\"> " + name + "\n</div></div><div><div class=\"card-body\">" +
         body + "</div></div></div>";
}
std::string Group(const std::string& href, const std::string& name) {
  return "<div class=\"col-auto group\"><a href=\"" + href + "\">" + name + "</a></div>";
}
std::string Index(const std::string& cards, const std::string& before = "") {
  return Whole(before + "<div class=\"accordion\" id=\"raspStructure\">" + cards +
               "</div><div id=\"raspNir\">" +
               Card("headingNir5", "Заочная", Group("/rasp/group/9", "не группа")) + "</div>");
}
IndexPage ReadIndex(const std::string& html) {
  return ParseIndexPage(html, "text/html; charset=utf-8");
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_lesson_has_everything_that_its_cell_says) {
  const Lesson lesson =
      OnlyOne(Monday(Slot("w06n1", Cell(Room("4/215") + Linked("901", "Роса Вера Павловна")))));
  BOOST_TEST((lesson.date == kToday));
  BOOST_TEST(lesson.weekday == 1);
  BOOST_TEST(lesson.number == 1);
  BOOST_TEST(lesson.subject == "Теория тумана");
  BOOST_TEST((lesson.type == LessonType::kLecture));
  BOOST_TEST(lesson.type_text == "лекц");
  BOOST_TEST(lesson.room == "4/215");
  BOOST_TEST((lesson.time == LessonTime{480, 570}));
  BOOST_TEST(lesson.week_number.value() == 6);
  BOOST_REQUIRE_EQUAL(lesson.teachers.size(), 1U);
  BOOST_TEST(lesson.teachers[0].upstream_id.value() == 901);
  BOOST_TEST(lesson.teachers[0].profile_url == "https://www.uni.example/teachers/901-x.html");
}

BOOST_AUTO_TEST_CASE(subgroups_with_own_rooms_and_teachers_are_lessons_of_their_own) {
  const auto page =
      Read(Monday(Slot("w06n3", Cell(Room("Подгр. 1", " lesson-room-1") + Room("4/301", " mt-1") +
                                     Linked("902", "Иней А.А.") + Room("Подгр. 2", " lesson-room-1") +
                                     Room("4/302", " mt-1") + Linked("903", "Град Б.Б.")))));
  BOOST_REQUIRE_EQUAL(page.lessons.size(), 2U);
  for (int i = 0; i < 2; ++i) {
    BOOST_TEST(page.lessons[i].subgroup == i + 1);
    BOOST_TEST(page.lessons[i].room == (i == 0 ? "4/301" : "4/302"));
    BOOST_REQUIRE_EQUAL(page.lessons[i].teachers.size(), 1U);
    BOOST_TEST(page.lessons[i].teachers[0].upstream_id.value() == 902 + i);
  }
}

BOOST_AUTO_TEST_CASE(a_subgroup_named_last_is_that_of_the_whole_cell) {
  const Lesson lesson = OnlyOne(Monday(
      Slot("w06n4", Cell(Room("Спортзал") + Teacher("Вьюгин О.О.") + Room("Подгр. 2: бассейн", " mt-2")))));
  BOOST_TEST(lesson.subgroup == 2);
  BOOST_TEST(lesson.room == "Спортзал");
  BOOST_TEST(lesson.additional_text == "бассейн");
  BOOST_REQUIRE_EQUAL(lesson.teachers.size(), 1U);
  BOOST_TEST(lesson.teachers[0].name == "Вьюгин О.О.");
  BOOST_TEST(!lesson.teachers[0].upstream_id.has_value());
}

BOOST_AUTO_TEST_CASE(repeated_slots_and_several_cells_are_several_lessons) {
  BOOST_TEST(Read(Monday(Slot("w06n1", Cell(Room("1"))) + Slot("w06n1", Cell(Room("2"))))).lessons.size() ==
             2U);
  const auto page = Read(Monday(Slot("w06n1", Cell(Room("1")) + Cell(Room("2")))));
  BOOST_REQUIRE_EQUAL(page.lessons.size(), 2U);
  BOOST_TEST(page.lessons[1].room == "2");
  // Without a box around what the slot holds.
  BOOST_TEST(
      OnlyOne(
          Monday("<div class=\"day-lesson\" data-lesson=\"w1n2\"><div class=\"lesson-name\">X</div></div>"))
          .number == 2);
}

BOOST_AUTO_TEST_CASE(several_teachers_are_all_kept_and_each_once) {
  const Lesson lesson =
      OnlyOne(Monday(Slot("w06n1", Cell(Linked("901", "А") + Linked("902", "Б") + Linked("901", "А")))));
  BOOST_TEST(lesson.teachers.size() == 2U);
}

BOOST_AUTO_TEST_CASE(types_are_known_by_their_beginning_and_written_once) {
  const auto type = [](const std::string& text) {
    const Lesson lesson = OnlyOne(Monday(Slot("w06n1", Cell("", "X", text))));
    return std::string(WordOf(lesson.type)) + "/" + lesson.type_text;
  };
  BOOST_TEST(type("(лек)") == "lecture/лек");
  BOOST_TEST(type("(ЛЕКЦ)<br>(лекц)") == "lecture/ЛЕКЦ");
  BOOST_TEST(type("(установочная лекция)") == "lecture/установочная лекция");
  BOOST_TEST(type("(прак)") == "practice/прак");
  BOOST_TEST(type("(экзам)") == "exam/экзам");
  BOOST_TEST(type("(зачет с оценкой)") == "credit/зачет с оценкой");
  BOOST_TEST(type("(курс. проект)") == "course/курс. проект");
  BOOST_TEST(type("(диспут)") == "other/диспут");
}

BOOST_AUTO_TEST_CASE(texts_are_joined_where_blocks_meet_and_cleaned) {
  const Lesson lesson =
      OnlyOne(Monday(Slot("w06n1", Cell(Room("__4/21&shy;5_ "), "A<br>B &nbsp; <b>в</b>етра &lt;x&gt;"))));
  BOOST_TEST(lesson.subject == "A B ветра <x>");
  BOOST_TEST(lesson.room == "4/215");
}

BOOST_AUTO_TEST_CASE(times_are_those_that_are_printed_or_else_the_usual_ones) {
  const auto time = [](const std::string& tag, const std::string& hour) {
    const auto page = Read(Monday(Slot(tag, Cell("", "X", "", hour))));
    if (page.lessons.empty()) return std::string("none");
    return std::to_string(page.lessons[0].number) + ":" + std::to_string(page.lessons[0].time.begin);
  };
  BOOST_TEST(time("w06n8", "20:20 - 21:50") == "8:1220");
  BOOST_TEST(time("w06n8", "") == "8:1220");
  BOOST_TEST(time("w06n2", "9.50 - 11.20") == "2:590");
  BOOST_TEST(time("w06", "11:30 - 13:00") == "3:690");
  BOOST_TEST(time("", "") == "none");
  BOOST_TEST(time("w06n11", "") == "none");  // no time for it anywhere
  BOOST_TEST(time("w06n77", "08:00 - 09:30") == "1:480");
}

BOOST_AUTO_TEST_CASE(links_of_teachers_are_resolved_and_only_of_the_web) {
  const auto url = [](const std::string& href) {
    return OnlyOne(Monday(Slot("w06n1", Cell(Teacher("<a href=\"" + href + "\">А</a>")))))
        .teachers.at(0)
        .profile_url;
  };
  BOOST_TEST(url("/teachers/5-a.html") == "https://site.example/teachers/5-a.html");
  BOOST_TEST(url("http://x.example/teachers/5") == "http://x.example/teachers/5");
  BOOST_TEST(url("javascript:alert(1)") == "");
}

BOOST_AUTO_TEST_CASE(the_year_of_a_date_is_the_one_in_which_the_weekday_fits) {
  // Around New Year on one page, seen from both sides: December 29, 2031 and January 5, 2032 are Mondays.
  for (const Day today : {Day(2031y / 12 / 28), Day(2032y / 1 / 3)}) {
    BOOST_TEST((DateOf(29, 12, 1, today) == Day(2031y / 12 / 29)));
    BOOST_TEST((DateOf(5, 1, 1, today) == Day(2032y / 1 / 5)));
  }
  BOOST_TEST(!DateOf(6, 10, 4, kToday).has_value());
  BOOST_TEST(!DateOf(29, 2, 1, Day(2030y / 2 / 1)).has_value());
}

BOOST_AUTO_TEST_CASE(a_day_without_a_date_is_known_by_its_weekday) {
  const auto page =
      Read(Calendar(DayBox("<span>Понедельник</span>06.10", "") + DayBox("Вторник", Slot("w6n1", Cell("")))));
  BOOST_REQUIRE_EQUAL(page.lessons.size(), 1U);
  BOOST_TEST(!page.lessons[0].date.has_value());
  BOOST_TEST(page.lessons[0].weekday == 2);
  BOOST_TEST((page.window.first == kToday && page.window.last == kToday));
  BOOST_TEST(page.warnings.size() == 1U);
}

BOOST_AUTO_TEST_CASE(free_slots_are_no_lessons_and_an_empty_week_is_an_answer) {
  const auto page = Read(Monday("<div class=\"day-lesson day-lesson-empty\" data-lesson=\"w06n1\"></div>"));
  BOOST_TEST(page.lessons.empty());
  BOOST_TEST(page.warnings.empty());
  BOOST_TEST(Read(Whole("<div class=\"calendar\">Занятий нет</div>")).lessons.empty());
}

BOOST_AUTO_TEST_CASE(the_list_of_exams_adds_those_that_have_no_cell) {
  const std::string list =
      "<div class=\"lesson-warnings\"><div class=\"lesson-warning\">Экзамены:</div>"
      "<div class=\"lesson-warning-text\">Теория тумана (14.10.2031)</div>"
      "<div class=\"lesson-warning-text\">Архитектура льда (20.10.2031)</div>"
      "<div class=\"lesson-warning\">Зачет:</div><div class=\"lesson-warning-text\">Химия росы "
      "(21.10.2031)</div></div>";
  std::string html = Monday(Slot("w06n2", Cell("", "Теория тумана", "(экзам)")));
  html.replace(html.find("<div class=\"week\">"), 0, list);
  const auto page = Read(html);
  BOOST_REQUIRE_EQUAL(page.lessons.size(), 3U);
  BOOST_TEST((page.lessons[0].date == kToday));  // the cell's date wins
  BOOST_TEST(page.lessons[1].subject == "Архитектура льда");
  BOOST_TEST((page.lessons[1].date == Day(2031y / 10 / 20)));
  BOOST_TEST(page.lessons[1].number == 0);
  BOOST_TEST((page.lessons[2].type == LessonType::kCredit));
}

BOOST_AUTO_TEST_CASE(pages_that_are_no_timetable_are_not_believed) {
  const std::string good = Monday(Slot("w06n1", Cell("")));
  BOOST_TEST(WhyNot(good) == "");
  BOOST_TEST(WhyNot("") == "truncated");
  BOOST_TEST(WhyNot(good.substr(0, good.size() / 2)) == "truncated");
  BOOST_TEST(WhyNot(Whole("<div>капча</div>")) == "layout_unknown");
  BOOST_TEST(WhyNot(Whole("<div class=\"calendar\"></div>")) == "layout_unknown");
  BOOST_TEST(WhyNot(Whole("<table><tr><td>Понедельник</td></tr></table>")) == "layout_unknown");
  BOOST_TEST(WhyNot(Calendar(DayBox("Понедельник", Slot("w6n1", Cell(""))))) == "layout_unknown");
  BOOST_TEST(WhyNot(Calendar("")) == "layout_unknown");
}

BOOST_AUTO_TEST_CASE(a_page_of_another_group_is_refused) {
  const auto titled = [](const std::string& title) {
    std::string html = Monday("");
    return html.replace(html.find("Расписание"), std::string("Расписание").size(), title);
  };
  BOOST_TEST(WhyNot(titled("Расписание группы б-ОБЛК-11")) == "");
  BOOST_TEST(Read(titled("Расписание группы Б\u2011ОБЛК\u201111 | Университет")).has_heading);
  BOOST_TEST(WhyNot(titled("Расписание группы б-ОБЛК-12")) == "wrong_group");
  BOOST_TEST(WhyNot(titled("Расписание группы б-ОБЛК-11 (ин.)")) == "wrong_group");
  BOOST_TEST(WhyNot(titled("Расписание группы б-ОБЛК-11"), "text/html; charset=utf-8", "б-ОБЛК-11 (ин.)") ==
             "wrong_group");
  BOOST_TEST(WhyNot(titled("Расписание занятий")) == "");
  BOOST_TEST(!Read(titled("Расписание занятий")).has_heading);
}

BOOST_AUTO_TEST_CASE(the_charset_is_that_of_the_header_then_of_the_page) {
  const std::string page = Monday(Slot("w06n1", Cell(Room("ауд"))));
  const std::string old = Cp1251(page);
  std::string with_meta = old;
  with_meta.replace(old.find("<head>"), 6, "<head><meta charset=windows-1251>");
  BOOST_TEST(Read(old, "text/html; charset=Windows-1251").lessons.at(0).subject == "Теория тумана");
  BOOST_TEST(Read(with_meta, "text/html").lessons.at(0).room == "ауд");
  BOOST_TEST(WhyNot(old, "text/html") == "charset");
  BOOST_TEST(WhyNot(page, "text/html; charset=klingon") == "charset");
  BOOST_TEST(Read("\xEF\xBB\xBF" + page, "text/html").lessons.size() == 1U);
  std::string some = page;
  some[some.find("ауд")] = '\xff';
  BOOST_TEST(WhyNot(some) == "charset");  // one in some hundred characters
}

BOOST_AUTO_TEST_CASE(what_can_only_be_utf8_is_utf8_whatever_the_header_says) {
  const std::string page = Monday(Slot("w06n1", Cell(Room("ауд"))));
  BOOST_TEST(Read(page, "text/html; charset=windows-1251").lessons.at(0).subject == "Теория тумана");
  BOOST_TEST(Read("\xEF\xBB\xBF" + page, "text/html; charset=windows-1251").lessons.at(0).room == "ауд");
  std::string old_with_meta = Cp1251(page);
  BOOST_TEST(Read(old_with_meta, "text/html; charset=cp1251").lessons.at(0).subject == "Теория тумана");
}

BOOST_AUTO_TEST_CASE(a_slip_in_the_header_of_a_day_does_not_widen_the_page) {
  const auto page = [](const std::string& tuesday) {
    return Read(Calendar(DayBox("Понедельник 13.10", Slot("w7n1", Cell("", "А"))) +
                         DayBox("Вторник " + tuesday, Slot("w7n1", Cell("", "Б"))) +
                         DayBox("Среда 15.10", Slot("w7n1", Cell("", "В")))));
  };
  const Day tuesday(2031y / 10 / 14);
  // A Tuesday in 2030, a Tuesday in 2032, and no Tuesday at all.
  for (const char* slip : {"15.01", "14.09", "14.12", "14.11", "13.10"}) {
    const ParsedGroupPage read = page(slip);
    BOOST_TEST((read.lessons.at(1).date == tuesday), slip);
    BOOST_TEST((read.window.first == tuesday - std::chrono::days(1) &&
                read.window.last == tuesday + std::chrono::days(1)),
               slip);
    BOOST_TEST(read.warnings.size() == 1U, slip);
  }
  BOOST_TEST(page("14.10").warnings.empty());
}

BOOST_AUTO_TEST_CASE(two_weeks_in_one_box_stay_two) {
  const auto read =
      Read(Calendar(DayBox("Понедельник 06.10", "") + DayBox("Вторник 07.10", "") +
                    DayBox("Среда 08.10", "") + DayBox("Понедельник 13.10", Slot("w7n1", Cell("")))));
  BOOST_TEST((read.lessons.at(0).date == kToday + std::chrono::days(7)));
}

BOOST_AUTO_TEST_CASE(an_exam_of_no_year_is_left_out) {
  std::string html = Monday(Slot("w06n2", Cell("")));
  html.replace(html.find("<div class=\"week\">"), 0,
               "<div class=\"lesson-warnings\"><div class=\"lesson-warning\">Экзамены:</div>"
               "<div class=\"lesson-warning-text\">Лёд (01.01.0000)</div><div "
               "class=\"lesson-warning-text\">Град (01.01.9999)</div></div>");
  const auto page = Read(html);
  BOOST_TEST(page.lessons.size() == 1U);
  BOOST_TEST(page.warnings.size() == 2U);
}

BOOST_AUTO_TEST_CASE(texts_are_cut_between_characters) {
  // Of both parities: each letter has two bytes.
  for (const char* before : {"", "x"}) {
    std::string html = Monday("");
    std::string long_title = before;
    for (int i = 0; i < 150; ++i) long_title += "ы";
    html.replace(html.find("Расписание"), std::string("Расписание").size(), long_title + " группы б-ОБЛК-12");
    BOOST_CHECK_EXCEPTION(Read(html), PageRefused,
                          [](const PageRefused& e) { return syncline::IsUtf8(e.what()); });
    for (const std::string& slot :
         {Slot("w06n1", "<div>" + long_title + "</div>"), Slot("", Cell("", long_title, "", ""))}) {
      const auto page = Read(Monday(slot));
      BOOST_REQUIRE_EQUAL(page.warnings.size(), 1U);
      BOOST_TEST(syncline::IsUtf8(page.warnings[0]));
    }
  }
}

BOOST_AUTO_TEST_CASE(boxes_in_boxes_are_read_once) {
  const std::string filler(200'000, 'x');
  std::string days, html;
  for (int i = 0; i < 90; ++i) days += "<div class=\"day\">";
  days += "<div class=\"day-header\">Понедельник 06.10</div>" + Slot("w06n1", Cell(Room(filler)));
  for (int i = 0; i < 90; ++i) days += "</div>";
  html = "<div class=\"calendar\">";
  for (int i = 0; i < 90; ++i) html += "<div class=\"week\">";
  html += days;
  for (int i = 0; i < 90; ++i) html += "</div>";
  const auto begin = std::chrono::steady_clock::now();
  const auto page = Read(Whole(html + "</div>"));
  BOOST_TEST(page.lessons.size() == 1U);
  // Seen 8,100 times, it would take minutes.
  BOOST_TEST((std::chrono::steady_clock::now() - begin < 20s));
}

BOOST_AUTO_TEST_CASE(cards_of_one_institute_are_one_and_list_a_name_once) {
  const auto page = ReadIndex(Index(Card("heading41", "Институт", Group("/rasp/group/7001", "б-Я-11")) +
                                    Card("heading41", "Институт", Group("/rasp/group/7002", "б-Я-11")) +
                                    Card("heading", "Центр", Group("/rasp/group/7003", "б-Я-11")) +
                                    Card("heading", "центр", Group("/rasp/group/7004", "б-Я-11")) +
                                    Card("heading42", "Институт", Group("/rasp/group/7005", "б-Я-11"))));
  BOOST_TEST(page.institutes.size() == 3U);
  BOOST_REQUIRE_EQUAL(page.groups.size(), 3U);
  BOOST_TEST(page.groups[0].upstream_id.value() == 7001);
  BOOST_TEST(page.groups[2].institute == 2U);
  BOOST_TEST(page.warnings.size() == 2U);
}

BOOST_AUTO_TEST_CASE(an_index_lists_institutes_and_groups_with_form_and_degree) {
  const auto page = ReadIndex(Index(
      Card("heading41", "Институт облачных наук",
           "<div class=\"edu-form\">Очная</div><div class=\"group-type\">Бакалавриат</div><div "
           "class=\"group-start\">ОБЛК</div>" +
               Group("/rasp/group/7001", "б-ОБЛК-11") +
               Group("https://site.example/rasp/group/7002?x=1", " б-ОБЛК-12 ") +
               Group("/rasp/group/7001", "б-ОБЛК-11") + "<div class=\"edu-form\">Очно-заочная</div>" +
               "<div class=\"group-type\">Магистратура</div>" + Group("/rasp/group/7011", "м-ТУМНоз-11")) +
      Card("heading", "Центр",
           Group("/rasp/group/7020", "с-Я-11") + "<div class=\"col group\">без ссылки</div>") +
      Card("heading43", "Пустой",
           "<div class=\"edu-form\">Заочная (сокращенная)</div>" + Group("/rasp/group/7030", "б-Я-12"))));
  BOOST_REQUIRE_EQUAL(page.institutes.size(), 3U);
  BOOST_TEST(page.institutes[0].upstream_id.value() == 41);
  BOOST_TEST(!page.institutes[1].upstream_id.has_value());
  BOOST_REQUIRE_EQUAL(page.groups.size(), 6U);
  BOOST_TEST(page.groups[1].upstream_id.value() == 7002);
  BOOST_TEST(page.groups[1].name == "б-ОБЛК-12");
  BOOST_TEST(page.groups[2].education_form.value() == "evening");
  BOOST_TEST(page.groups[2].degree_type.value() == "master");
  BOOST_TEST(page.groups[3].education_form.value() == "full_time");  // the state of the card before has ended
  BOOST_TEST(!page.groups[4].upstream_id.has_value());
  BOOST_TEST(page.groups[5].education_form.value() == "part_time");
}

BOOST_AUTO_TEST_CASE(an_index_without_groups_is_no_index) {
  for (const std::string& html : {Whole("<div>капча</div>"), Index(""), Index(Card("heading1", "И", ""))})
    BOOST_CHECK_EXCEPTION(ReadIndex(html), PageRefused,
                          [](const PageRefused& e) { return e.code() == "layout_unknown"; });
}

BOOST_AUTO_TEST_CASE(today_is_our_own_unless_the_site_says_another_one) {
  const auto today = [](const std::string& period, const std::string& date, Day own) {
    return TodayOf(ReadIndex(Index(Card("heading1", "И", Group("/rasp/group/1", "б-Я-11")),
                                   "<div class=\"rasp-period\">" + period +
                                       "</div><div class=\"rasp-date\">" + date + "</div>")),
                   own);
  };
  const Day own(2026y / 11 / 30);
  BOOST_TEST(
      (today("Первый семестр 2031/2032 учебного года", "Сегодня, 28 декабря", own) == Day(2031y / 12 / 28)));
  BOOST_TEST(
      (today("Второй семестр 2031/2032 учебного года", "Сегодня, 28 мая", own) == Day(2032y / 5 / 28)));
  BOOST_TEST((today("Второй семестр 2031/2032", "Сегодня, 30 ноября", own) == own));
  BOOST_TEST((today("", "Сегодня, 3 мая", own) == own));
  BOOST_TEST((today("", "", own) == own));
}
