#pragma once
// The day that it is for the timetable.
#include "handlers/base/context.h"
#include "handlers/schedule/lessons/day_rules.h"

namespace syncline::schedule {

/// Today in the time zone of the timetable.
Day TodayOf(const Context& context);

}  // namespace syncline::schedule
