#pragma once
// What a client script has read from the site itself, one group at a time: the body of import_group. Pure.
//
// The frame must be right, or nothing is imported. A lesson that cannot be read is left out and counted, because the script
// repeats everything but a 200 for hours.
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

/// The days that these lessons tell about. A page of the site shows whole weeks, but for the running one, of which it may show
/// the days from today on. So the last week counts to its Sunday, and the first one from its Monday if that is to come. Exams
/// beside other lessons tell about no other day.
Window WindowOfImport(const std::vector<Lesson>& lessons, Day today);

}  // namespace syncline::schedule
