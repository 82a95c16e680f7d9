#include "handlers/schedule/calendar/zone_wire.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>

#include "handlers/base/errors.h"

namespace syncline::schedule {
namespace {

using std::chrono::local_seconds;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

constexpr const char* kFolder = "/usr/share/zoneinfo/";
constexpr std::size_t kMaxBytes = 1 << 20;
constexpr std::size_t kHeader = 44;

Error BadZone(const char* why) {
  return BadInput("bad_zone", why);
}

std::int64_t BigEndian(std::string_view bytes, std::size_t at, std::size_t size) {
  if (at + size > bytes.size()) throw BadZone("cut");
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  if (size < 8 && (value >> (8 * size - 1)) != 0) value |= ~std::uint64_t{0} << (8 * size);
  return static_cast<std::int64_t>(value);
}

struct Header {
  std::size_t utc_count, standard_count, leap_count, time_count, type_count, name_bytes;
};

Header ReadHeader(std::string_view bytes, std::size_t at) {
  if (bytes.substr(std::min(at, bytes.size()), 4) != "TZif") throw BadZone("no TZif");
  const auto count = [&](std::size_t index) {
    const std::int64_t value = BigEndian(bytes, at + 20 + 4 * index, 4);
    if (value < 0 || value > static_cast<std::int64_t>(kMaxBytes)) throw BadZone("a count");
    return static_cast<std::size_t>(value);
  };
  return {count(0), count(1), count(2), count(3), count(4), count(5)};
}

std::size_t BodyBytes(const Header& head, std::size_t time_bytes) {
  return head.time_count * (time_bytes + 1) + head.type_count * 6 + head.name_bytes +
         head.leap_count * (time_bytes + 4) + head.standard_count + head.utc_count;
}

// ---- The rule behind the table, as in the environment variable TZ of POSIX: "CET-1CEST,M3.5.0,M10.5.0/3".

class RuleText {
 public:
  explicit RuleText(std::string_view text) : rest_(text) {}
  bool IsAtEnd() const { return rest_.empty(); }
  bool Take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string Name() {
    const bool is_quoted = Take('<');
    const std::size_t size = is_quoted ? rest_.find('>') : rest_.find_first_of("+-0123456789,<");
    std::string name(rest_.substr(0, size));
    rest_.remove_prefix(std::min(name.size(), rest_.size()));
    if (name.empty() || (is_quoted && !Take('>'))) throw BadZone("a name of the rule");
    return name;
  }
  int Number() {
    int value = 0;
    const auto end = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (end.ec != std::errc() || value < 0 || value > 400) throw BadZone("a number of the rule");
    rest_.remove_prefix(static_cast<std::size_t>(end.ptr - rest_.data()));
    return value;
  }
  // "-1:30", in hours, minutes and seconds.
  seconds Clock() {
    const bool is_negative = Take('-');
    if (!is_negative) Take('+');
    seconds value = std::chrono::hours(Number());
    if (Take(':')) value += std::chrono::minutes(Number());
    if (Take(':')) value += seconds(Number());
    return is_negative ? -value : value;
  }

 private:
  std::string_view rest_;
};

// The last weekday of a month is its fifth.
struct RuleDay {
  unsigned month = 1, week = 1, weekday = 0;
  seconds clock = std::chrono::hours(2);

  local_seconds In(int year) const {
    const auto month_of = std::chrono::year(year) / std::chrono::month(month);
    const std::chrono::weekday day(weekday);
    const auto date = week == 5 ? std::chrono::local_days(month_of / day[std::chrono::last])
                                : std::chrono::local_days(month_of / day[week]);
    return date + clock;
  }
};

RuleDay ReadDay(RuleText& text) {
  if (!text.Take(',') || !text.Take('M')) throw BadZone("a day of the rule");
  RuleDay day;
  day.month = static_cast<unsigned>(text.Number());
  if (!text.Take('.')) throw BadZone("a day of the rule");
  day.week = static_cast<unsigned>(text.Number());
  if (!text.Take('.')) throw BadZone("a day of the rule");
  day.weekday = static_cast<unsigned>(text.Number());
  const bool is_day = day.month >= 1 && day.month <= 12 && day.week >= 1 && day.week <= 5 && day.weekday <= 6;
  if (!is_day) throw BadZone("a day of the rule");
  if (text.Take('/')) day.clock = text.Clock();
  return day;
}

void AddRule(Zone& zone, std::string_view rule) {
  if (rule.empty()) return;
  RuleText text(rule);
  ZoneOffset standard{{}, false, text.Name()};
  standard.from_utc = -text.Clock();
  if (text.IsAtEnd()) return;  // no further changes
  ZoneOffset daylight{standard.from_utc + std::chrono::hours(1), true, text.Name()};
  RuleText ahead = text;
  if (!ahead.Take(',')) daylight.from_utc = -text.Clock();
  const RuleDay begin = ReadDay(text), end = ReadDay(text);
  const sys_seconds last = zone.changes.empty() ? sys_seconds{} : zone.changes.back().at;
  const int first_year =
      static_cast<int>(std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(last)).year());
  std::vector<ZoneChange> more;
  for (int year = first_year; year <= kLastZoneYear; ++year) {
    more.push_back({sys_seconds(begin.In(year).time_since_epoch() - standard.from_utc), daylight});
    more.push_back({sys_seconds(end.In(year).time_since_epoch() - daylight.from_utc), standard});
  }
  std::sort(more.begin(), more.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  std::copy_if(more.begin(), more.end(), std::back_inserter(zone.changes),
               [&](const ZoneChange& change) { return change.at > last; });
}

bool IsZoneName(std::string_view name) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '_' || c == '-' || c == '+';
  };
  return !name.empty() && name.front() != '/' && name.size() < 100 &&
         std::all_of(name.begin(), name.end(), is_allowed);
}

}  // namespace

const ZoneOffset& Zone::OffsetAt(sys_seconds time) const {
  const auto after =
      std::upper_bound(changes.begin(), changes.end(), time,
                       [](sys_seconds at, const ZoneChange& change) { return at < change.at; });
  return after == changes.begin() ? first : std::prev(after)->to;
}

local_seconds Zone::LocalOf(sys_seconds time) const {
  return local_seconds(time.time_since_epoch() + OffsetAt(time).from_utc);
}

sys_seconds Zone::UtcOf(local_seconds time) const {
  // No offset is a day, and no two changes are that close to each other.
  const sys_seconds around(time.time_since_epoch());
  const seconds before = OffsetAt(around - std::chrono::days(1)).from_utc;
  const sys_seconds guess = around - before;
  if (OffsetAt(guess).from_utc == before) return guess;
  const sys_seconds other = around - OffsetAt(guess).from_utc;
  return LocalOf(other) == time ? other : guess;
}

sys_days DayIn(const Zone& zone, std::chrono::system_clock::time_point now) {
  const local_seconds local = zone.LocalOf(std::chrono::floor<seconds>(now));
  return sys_days(std::chrono::floor<std::chrono::days>(local).time_since_epoch());
}

Zone ParseZone(std::string name, std::string_view bytes) {
  const Header old = ReadHeader(bytes, 0);
  if (bytes.size() <= kHeader || bytes[4] < '2') throw BadZone("an old version");
  std::size_t at = kHeader + BodyBytes(old, 4);
  const Header head = ReadHeader(bytes, at);
  at += kHeader;
  const std::size_t end = at + BodyBytes(head, 8);
  if (end > bytes.size() || head.type_count == 0) throw BadZone("cut");
  const std::size_t indexes = at + head.time_count * 8, types = indexes + head.time_count,
                    names = types + head.type_count * 6;
  const auto type = [&](std::size_t index) {
    if (index >= head.type_count) throw BadZone("an index");
    const std::size_t place = types + index * 6;
    const auto name_at = static_cast<std::size_t>(static_cast<unsigned char>(bytes[place + 5]));
    if (name_at >= head.name_bytes) throw BadZone("a name");
    std::string_view text = bytes.substr(names + name_at, head.name_bytes - name_at);
    const std::int64_t offset = BigEndian(bytes, place, 4);
    if (offset < -26 * 3600 || offset > 26 * 3600) throw BadZone("an offset");
    return ZoneOffset{seconds(offset), bytes[place + 4] != 0, std::string(text.substr(0, text.find('\0')))};
  };
  Zone zone{std::move(name), type(0), {}};
  for (std::size_t i = 0; i < head.time_count; ++i) {
    const std::int64_t time = BigEndian(bytes, at + i * 8, 8);
    // Before 1900, which a calendar cannot tell.
    if (time < -2'208'988'800 || time > 4'133'980'800) continue;
    zone.changes.push_back(
        {sys_seconds(seconds(time)), type(static_cast<unsigned char>(bytes[indexes + i]))});
  }
  const bool is_sorted = std::is_sorted(zone.changes.begin(), zone.changes.end(),
                                        [](const auto& a, const auto& b) { return a.at < b.at; });
  if (!is_sorted) throw BadZone("times out of order");
  const std::string_view footer = bytes.substr(end);
  if (!footer.starts_with('\n') || footer.find('\n', 1) == std::string_view::npos) throw BadZone("no footer");
  AddRule(zone, footer.substr(1, footer.find('\n', 1) - 1));
  return zone;
}

std::shared_ptr<const Zone> SystemZone(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const Zone>> zones;
  const std::lock_guard lock(mutex);
  if (const auto found = zones.find(name); found != zones.end()) return found->second;
  const auto missing = Error(ErrorKind::kInternal, "no_zone", "the system knows no time zone '" + name + "'");
  if (!IsZoneName(name)) throw missing;
  std::ifstream file(kFolder + name, std::ios::binary);
  std::string bytes(kMaxBytes, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  if (bytes.empty()) throw missing;
  return zones[name] = std::make_shared<const Zone>(ParseZone(name, bytes));
}

}  // namespace syncline::schedule
