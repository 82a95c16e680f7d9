#pragma once
// The body of import_group: one group that a client script has read from the site. Pure.
//
// The enclosing object must be valid, or nothing is imported. A lesson that cannot be parsed is skipped and
// counted, because the script retries for hours on anything but a 200.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/schedule/lessons/group_store.h"
#include "handlers/schedule/lessons/lesson_rules.h"

namespace syncline::schedule {

struct RejectedLesson {
  std::size_t index = 0;  ///< in the list
  std::string reason;     ///< the member that is wrong, or "object"
};

struct ImportedGroup {
  ListedInstitute institute;
  ListedGroup group;
  std::size_t received = 0;
  std::vector<Lesson> lessons{};  ///< those that can be read, each once
  std::size_t rejected = 0;
  std::vector<RejectedLesson> reasons{};  ///< of the first kMaxReasons
};
inline constexpr std::size_t kMaxReasons = 20;
inline constexpr std::size_t kMaxImportedLessons = 10'000;

/// Throws InputError with the place of a member of a wrong type; Error BadInput "missing_institute_name", "missing_group",
/// "lessons_not_a_list", "body_not_utf8".
ImportedGroup ReadImport(std::string_view body);

/// The days that these lessons cover. A page of the site shows whole weeks, except for the current one, which
/// may begin today. So the window ends on the Sunday of the last week, and begins on the Monday of the first
/// one if that is in the future. Exams among other lessons do not extend it.
Window WindowOfImport(const std::vector<Lesson>& lessons, Day today);

}  // namespace syncline::schedule
