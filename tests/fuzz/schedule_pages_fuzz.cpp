// Any bytes as pages of a timetable: refused, or lessons within the bounds of the tables.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "handlers/base/utf8.h"
#include "handlers/schedule/lessons/name_rules.h"
#include "handlers/schedule/pages/group_page_wire.h"
#include "handlers/schedule/pages/html_wire.h"
#include "handlers/schedule/pages/index_page_wire.h"

using namespace syncline;
using namespace syncline::schedule;

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckText(const std::string& text, std::size_t max) {
  Require(IsStorableText(text) && CountCharacters(text) <= max && ShownText(text, max) == text);
}

void CheckLesson(const Lesson& lesson) {
  Require(!lesson.subject.empty() && lesson.weekday >= 1 && lesson.weekday <= 7);
  Require(lesson.number >= 0 && lesson.number <= kMaxLessonNumber && lesson.subgroup >= 0 &&
          lesson.subgroup <= 99);
  Require(lesson.time.begin >= 0 && lesson.time.end < 24 * 60 &&
          (lesson.number == 0 || lesson.time.begin < lesson.time.end));
  Require(!lesson.week_number || (*lesson.week_number >= 0 && *lesson.week_number <= 999));
  CheckText(lesson.subject, kMaxName);
  CheckText(lesson.room, kMaxName);
  CheckText(lesson.type_text, 100);
  Require(IsStorableText(lesson.additional_text));
  for (const TeacherName& teacher : lesson.teachers) {
    Require(!teacher.name.empty() && IsStorableText(teacher.profile_url));
    CheckText(teacher.name, kMaxName);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const char* const types[] = {"text/html", "text/html; charset=windows-1251", "text/html; charset=utf-8"};
  const std::string_view content_type = types[data[0] % 3];
  // Without the end no page is looked into.
  std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  if (data[0] < 128) bytes += "</html>";
  try {
    const IndexPage page = ParseIndexPage(bytes, content_type);
    for (const auto& group : page.groups)
      Require(group.institute < page.institutes.size() && !group.name.empty());
    TodayOf(page, Day(std::chrono::days(20'000)));
  } catch (const PageRefused&) {
  }
  try {
    const ParsedGroupPage page = ParseGroupPage({.bytes = bytes,
                                                 .content_type = content_type,
                                                 .url = "https://site.example/rasp/group/1",
                                                 .group_name = "b-OBLK-11",
                                                 .today = Day(std::chrono::days(22'500))});
    for (const Lesson& lesson : page.lessons) CheckLesson(lesson);
    HashOf(page.lessons, page.window);
  } catch (const PageRefused&) {
  }
  return 0;
}
