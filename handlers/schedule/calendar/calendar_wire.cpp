#include "handlers/schedule/calendar/calendar_wire.h"

#include <algorithm>
#include <cstdio>
#include <tuple>

#include "handlers/base/utf8.h"

namespace syncline::schedule {
namespace {

using std::chrono::local_seconds;
using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr std::size_t kLineOctets = 75;
constexpr std::size_t kDateOctets = 8;  // of 20311006T080000

bool BeginsCharacter(char octet) {
  return (static_cast<unsigned char>(octet) & 0xC0) != 0x80;
}

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t") == std::string_view::npos;
}

// Where the character at `at` begins; before the backslash that escapes it, if one does.
std::size_t BeginOf(std::string_view text, std::size_t at) {
  while (at > 0 && !BeginsCharacter(text[at])) --at;
  std::size_t backslashes = 0;
  while (backslashes < at && text[at - 1 - backslashes] == '\\') ++backslashes;
  return at - backslashes % 2;
}

// Where a line of at most `room` octets ends: not inside a character, nor between a backslash and what it escapes.
std::size_t CutOf(std::string_view text, std::size_t room) {
  if (text.size() <= room) return text.size();
  const std::size_t cut = BeginOf(text, room);
  // Some readers drop a line of blanks, so the preceding character moves to that line, too.
  const std::size_t shown = text.substr(0, cut).find_last_not_of(" \t");
  if (!IsBlank(text.substr(cut, kLineOctets - 1)) || shown == std::string_view::npos) return cut;
  const std::size_t sooner = BeginOf(text, shown);
  return sooner > 0 ? sooner : cut;
}

// "20311006T080000".
std::string LocalText(local_seconds time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  char text[64];
  std::snprintf(text, sizeof text, "%04d%02u%02uT%02d%02d%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

std::string UtcText(sys_seconds time) {
  return LocalText(local_seconds(time.time_since_epoch())) + "Z";
}

// "+0400".
std::string OffsetText(seconds offset) {
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(offset).count();
  char text[32];
  std::snprintf(text, sizeof text, "%c%02d%02d", minutes < 0 ? '-' : '+',
                static_cast<int>(std::abs(minutes) / 60), static_cast<int>(std::abs(minutes) % 60));
  return text;
}

void AppendObservance(std::string& out, sys_seconds at, const ZoneOffset& from, const ZoneOffset& to) {
  const char* kind = to.is_daylight ? "DAYLIGHT" : "STANDARD";
  AppendFolded(out, "BEGIN", kind);
  AppendFolded(out, "DTSTART", LocalText(local_seconds(at.time_since_epoch() + from.from_utc)));
  AppendFolded(out, "TZOFFSETFROM", OffsetText(from.from_utc));
  AppendFolded(out, "TZOFFSETTO", OffsetText(to.from_utc));
  AppendFolded(out, "TZNAME", EscapedText(to.name));
  AppendFolded(out, "END", kind);
}

// The offsets in force from the first event to the last one, without rules: the system's zone data may be
// newer than the reader's. `events` are sorted.
void AppendZone(std::string& out, const Zone& zone, const std::vector<const CalendarEvent*>& events) {
  const sys_seconds begin = events.empty() ? sys_seconds{} : zone.UtcOf(events.front()->begins_at);
  const sys_seconds end = events.empty() ? sys_seconds{} : zone.UtcOf(events.back()->ends_at);
  AppendFolded(out, "BEGIN", "VTIMEZONE");
  AppendFolded(out, "TZID", zone.name);
  const ZoneOffset* current = &zone.first;
  sys_seconds since{};
  bool has_first = false;
  for (const ZoneChange& change : zone.changes) {
    if (change.at > end) break;
    if (change.at > begin) {
      if (!has_first) AppendObservance(out, since, *current, *current);
      has_first = true;
      AppendObservance(out, change.at, *current, change.to);
    }
    current = &change.to;
    since = std::max(change.at, sys_seconds{});
  }
  if (!has_first) AppendObservance(out, since, *current, *current);
  AppendFolded(out, "END", "VTIMEZONE");
}

void AppendText(std::string& out, std::string_view name, std::string_view text) {
  if (!text.empty()) AppendFolded(out, name, EscapedText(text));
}

void AppendEvent(std::string& out, const CalendarEvent& event, std::string_view zone) {
  const std::string tzid = ";TZID=" + std::string(zone);
  AppendFolded(out, "BEGIN", "VEVENT");
  AppendFolded(out, "UID", EscapedText(event.uid));
  AppendFolded(out, "DTSTAMP", UtcText(event.revised_at));
  AppendFolded(out, "LAST-MODIFIED", UtcText(event.revised_at));
  AppendFolded(out, "SEQUENCE", std::to_string(event.sequence));
  if (event.is_whole_day) {
    AppendFolded(out, "DTSTART;VALUE=DATE", LocalText(event.begins_at).substr(0, kDateOctets));
    AppendFolded(out, "DTEND;VALUE=DATE",
                 LocalText(event.begins_at + std::chrono::days(1)).substr(0, kDateOctets));
  } else {
    AppendFolded(out, "DTSTART" + tzid, LocalText(event.begins_at));
    AppendFolded(out, "DTEND" + tzid, LocalText(event.ends_at));
  }
  AppendFolded(out, "SUMMARY", EscapedText(event.summary));
  AppendText(out, "LOCATION", event.location);
  AppendText(out, "DESCRIPTION", event.description);
  AppendText(out, "CATEGORIES", event.category);
  AppendFolded(out, "STATUS", event.is_cancelled ? "CANCELLED" : "CONFIRMED");
  AppendFolded(out, "TRANSP", event.is_cancelled || event.is_whole_day ? "TRANSPARENT" : "OPAQUE");
  AppendFolded(out, "END", "VEVENT");
}

}  // namespace

void AppendFolded(std::string& out, std::string_view name, std::string_view value) {
  std::string line(name);
  line.append(":").append(value);
  std::string_view rest = line;
  std::size_t room = kLineOctets;
  while (true) {
    const std::size_t cut = CutOf(rest, room);
    out.append(rest.substr(0, cut)).append("\r\n");
    rest.remove_prefix(cut);
    if (rest.empty()) return;
    out += ' ';
    room = kLineOctets - 1;
  }
}

std::string EscapedText(std::string_view text) {
  const std::string valid = IsUtf8(text) ? std::string(text) : ReplacedInvalid(text);
  std::string escaped;
  escaped.reserve(valid.size() + 8);
  for (std::size_t i = 0; i < valid.size(); ++i) {
    const char c = valid[i];
    const bool is_newline = c == '\n' || (c == '\r' && (i + 1 == valid.size() || valid[i + 1] != '\n'));
    if (is_newline) {
      escaped += "\\n";
    } else if (c == '\\' || c == ';' || c == ',') {
      escaped += '\\';
      escaped += c;
    } else if (c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F)) {
      escaped += c;
    }
  }
  return escaped;
}

std::string PrintCalendar(const Calendar& calendar) {
  std::vector<const CalendarEvent*> events;
  for (const CalendarEvent& event : calendar.events) events.push_back(&event);
  std::sort(events.begin(), events.end(), [](const CalendarEvent* a, const CalendarEvent* b) {
    return std::tie(a->begins_at, a->uid) < std::tie(b->begins_at, b->uid);
  });
  std::string out;
  AppendFolded(out, "BEGIN", "VCALENDAR");
  AppendFolded(out, "VERSION", "2.0");
  AppendFolded(out, "PRODID", "-//Syncline//Timetable//RU");
  AppendFolded(out, "CALSCALE", "GREGORIAN");
  AppendText(out, "NAME", calendar.name);
  AppendText(out, "X-WR-CALNAME", calendar.name);
  AppendText(out, "DESCRIPTION", calendar.description);
  AppendText(out, "X-WR-CALDESC", calendar.description);
  AppendFolded(out, "X-WR-TIMEZONE", calendar.zone->name);
  AppendFolded(out, "REFRESH-INTERVAL;VALUE=DURATION", "PT3H");
  AppendFolded(out, "X-PUBLISHED-TTL", "PT3H");
  AppendZone(out, *calendar.zone, events);
  for (const CalendarEvent* event : events) AppendEvent(out, *event, calendar.zone->name);
  AppendFolded(out, "END", "VCALENDAR");
  return out;
}

}  // namespace syncline::schedule
