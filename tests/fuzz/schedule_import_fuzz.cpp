// Groups as client scripts send them: refused with a place, or lessons whose values are within their bounds.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "handlers/base/errors.h"
#include "handlers/base/utf8.h"
#include "handlers/schedule/import_wire.h"

using namespace syncline;
using namespace syncline::schedule;

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void Check(const Lesson& lesson) {
  Require(lesson.weekday >= 1 && lesson.weekday <= 7);
  Require(lesson.number >= 1 && lesson.number <= kMaxLessonNumber);
  Require(lesson.subgroup >= 0 && lesson.subgroup <= 99);
  Require(lesson.time.begin >= 0 && lesson.time.begin <= lesson.time.end && lesson.time.end < 24 * 60);
  Require(!lesson.week_number || (*lesson.week_number >= 0 && *lesson.week_number <= 999));
  Require(!lesson.subject.empty());
  for (const std::string& text : {lesson.subject, lesson.room, lesson.additional_text, lesson.type_text}) {
    Require(IsStorableText(text) && CountCharacters(text) <= 2000);
  }
  for (const TeacherName& teacher : lesson.teachers) {
    Require(!teacher.name.empty() && IsStorableText(teacher.name));
    Require(!teacher.upstream_id || *teacher.upstream_id > 0);
    Require(teacher.profile_url.empty() || teacher.profile_url.starts_with("http"));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const ImportedGroup read = ReadImport({reinterpret_cast<const char*>(data), size});
    Require(!read.institute.name.empty() && !read.group.name.empty() &&
            read.group.upstream_id.value_or(0) > 0);
    Require(read.lessons.size() + read.rejected <= read.received);
    Require(read.reasons.size() <= kMaxReasons && read.reasons.size() <= read.rejected);
    for (const Lesson& lesson : read.lessons) Check(lesson);
    const Day today{std::chrono::days(22'000)};
    const Window window = WindowOfImport(read.lessons, today);
    Require(window.first.has_value() == window.last.has_value());
    for (const Lesson& lesson : read.lessons) Require(!lesson.date || window.Has(*lesson.date));
  } catch (const Error& error) {
    Require(error.kind() == ErrorKind::kBadInput);
  }
  return 0;
}
