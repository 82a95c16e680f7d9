#pragma once
// After a run or an import: teachers' names and numbers that pages have brought.
#include "handlers/base/context.h"
#include "handlers/schedule/lessons/lesson_rules.h"

namespace syncline::schedule {

/// LessonStore::TakeNames, in a transaction of its own because it locks further groups. Never throws an Error: what fails is
/// logged, stays noted, and is done after the next run or import. The lessons themselves are committed already.
void TakeNames(Context& context, Day today);

}  // namespace syncline::schedule
