// Calendars: every line has at most 75 octets of whole characters, unfolded and unescaped a text is what it was, and no text
// becomes a line of its own. The same bytes as a file of a time zone are refused, or a zone whose times go on.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "handlers/base/errors.h"
#include "handlers/base/utf8.h"
#include "handlers/schedule/calendar/calendar_wire.h"
#include "handlers/schedule/calendar/zone_wire.h"

using namespace syncline;
using namespace syncline::schedule;

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

// What a reader makes of one property: its value, unescaped.
std::string Read(std::string_view folded, std::size_t name_size) {
  std::string line;
  bool is_first = true;
  while (!folded.empty()) {
    const std::size_t end = folded.find("\r\n");
    Require(end != std::string_view::npos);
    std::string_view one = folded.substr(0, end);
    folded.remove_prefix(end + 2);
    Require(one.size() <= 75 && IsUtf8(one) && one.find_first_of("\r\n") == std::string_view::npos);
    if (!is_first) {
      Require(one.starts_with(' ') && one.size() > 1);
      one.remove_prefix(1);
    }
    is_first = false;
    line += one;
  }
  std::string plain;
  for (std::size_t i = name_size + 1; i < line.size(); ++i) {
    if (line[i] != '\\') {
      plain += line[i];
      continue;
    }
    Require(++i < line.size());
    plain += line[i] == 'n' ? '\n' : line[i];
  }
  return plain;
}

// What a text may keep of its bytes.
std::string Kept(std::string_view text) {
  const std::string valid = IsUtf8(text) ? std::string(text) : ReplacedInvalid(text);
  std::string kept;
  for (std::size_t i = 0; i < valid.size(); ++i) {
    const auto c = static_cast<unsigned char>(valid[i]);
    if (c == '\n' || (c == '\r' && (i + 1 == valid.size() || valid[i + 1] != '\n'))) {
      kept += '\n';
    } else if (c == '\t' || (c >= 0x20 && c != 0x7F)) {
      kept += valid[i];
    }
  }
  return kept;
}

void CheckZone(std::string_view bytes) {
  try {
    const Zone zone = ParseZone("X/Y", bytes);
    for (std::int64_t time = -1'000'000'000; time < 4'000'000'000; time += 300'000'000) {
      const std::chrono::sys_seconds at{std::chrono::seconds(time)};
      zone.UtcOf(zone.LocalOf(at));
    }
    const CalendarEvent event{.uid = "u",
                              .begins_at = std::chrono::local_seconds(std::chrono::seconds(1'900'000'000)),
                              .ends_at = std::chrono::local_seconds(std::chrono::seconds(1'900'000'001)),
                              .summary = "x"};
    PrintCalendar({.name = "x", .zone = &zone, .events = {event}});
  } catch (const Error& error) {
    Require(error.kind() == ErrorKind::kBadInput);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string out;
  AppendFolded(out, "SUMMARY", EscapedText(text));
  Require(Read(out, 7) == Kept(text));
  CheckZone(text);
  return 0;
}
