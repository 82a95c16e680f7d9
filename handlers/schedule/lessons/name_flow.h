#pragma once
// After a run or an import: applies teachers' new names and numbers.
#include "handlers/base/context.h"
#include "handlers/schedule/lessons/lesson_rules.h"

namespace syncline::schedule {

/// LessonStore::TakeNames, in a transaction of its own because it locks further groups. Never throws an
/// Error: a failure is logged, and the names stay recorded until the next run or import. The lessons
/// themselves are already committed.
void TakeNames(Context& context, Day today);

}  // namespace syncline::schedule
