#pragma once
// Writes feeds as iCalendar (RFC 5545) with the properties of RFC 7986 that calendar programs read. Pure:
// equal calendars give equal bytes at any time.
//
// Every lesson is a separate event, in local time with a TZID. There are no recurrence rules, because phones
// ignore their exceptions. There is no METHOD, so DTSTAMP is the last revision of an event (RFC 5545,
// 3.8.7.2). Left out on purpose: reading.
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/schedule/calendar/zone_wire.h"

namespace syncline::schedule {

struct CalendarEvent {
  std::string uid;  ///< stable for the life of the event
  std::int64_t sequence = 0;
  std::chrono::sys_seconds revised_at{};
  std::chrono::local_seconds begins_at{}, ends_at{};  ///< in the zone of the calendar
  bool is_whole_day = false;  ///< an all-day event on the day of `begins_at`; the hour is unknown
  bool is_cancelled = false;
  std::string summary{}, location{}, description{},
      category{};  ///< any text; empty: left out, except the summary
};

struct Calendar {
  std::string name{}, description{};  ///< any text
  const Zone* zone = nullptr;
  std::vector<CalendarEvent> events{};
};

/// The definition of the zone covers the events. Events are sorted by their begin, then by UID. Lines have at most 75 octets, each valid UTF-8 by itself, and end with CR LF.
std::string PrintCalendar(const Calendar& calendar);

/// One property, folded (RFC 5545, 3.1): `name` with its parameters, "DTSTART;TZID=X"; `value` as it is to be sent.
void AppendFolded(std::string& out, std::string_view name, std::string_view value);

/// A value of type TEXT (RFC 5545, 3.3.11): backslash, semicolon, comma and newlines escaped; other control characters,
/// which it may not contain, left out; bytes that are not UTF-8 replaced.
std::string EscapedText(std::string_view text);

}  // namespace syncline::schedule
