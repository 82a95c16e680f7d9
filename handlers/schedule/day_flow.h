#pragma once
// The timetable's current day.
#include "handlers/base/context.h"
#include "handlers/schedule/lessons/day_rules.h"

namespace syncline::schedule {

/// Today in the time zone of the timetable.
Day TodayOf(const Context& context);

}  // namespace syncline::schedule
