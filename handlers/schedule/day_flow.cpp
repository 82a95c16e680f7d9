#include "handlers/schedule/day_flow.h"

#include "handlers/schedule/calendar/zone_wire.h"
#include "handlers/schedule/settings.h"

namespace syncline::schedule {

Day TodayOf(const Context& context) {
  return DayIn(*SystemZone(context.config().Of<Settings>().schedule_time_zone), context.Now());
}

}  // namespace syncline::schedule
