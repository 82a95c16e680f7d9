#pragma once
// How lessons look in a calendar program, and which of them a feed shows. Pure.
//
// A feed covers the current term, at least the last 30 days, because omitted events disappear from people's
// calendars, and half a year ahead. Removed lessons stay for 30 days as cancelled. Left out on purpose:
// lessons without a date, which a calendar cannot place.
#include <string>
#include <string_view>

#include "handlers/schedule/calendar/calendar_wire.h"
#include "handlers/schedule/calendar/feed_store.h"
#include "handlers/schedule/reading/timetable_store.h"
#include "handlers/schedule/reading/week_rules.h"

namespace syncline::schedule {

/// The window of a feed on a day of its zone.
FeedWindow WindowOf(const LiveFeed& feed, Day today, const Terms& terms, const Zone& zone);

/// `names_group`: for feeds of teachers and rooms, which have lessons of several groups. The lesson must have
/// a date.
CalendarEvent EventOf(const ShownLesson& lesson, bool names_group);

/// The feed's calendar.
Calendar CalendarOf(const LiveFeed& feed, const std::vector<ShownLesson>& lessons, const Zone& zone);

}  // namespace syncline::schedule
