#pragma once
// Where a client wants to begin in the log of a deck, from what it sends: a change it has seen, or a time. The add-on sends
// either in `since`, and its times are of its own clock, without a zone. Pure.
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "sql/value.h"

namespace syncline::decks {

struct NoCursor {
  bool is_unreadable =
      false;  ///< a text that is none of these: the client has no other one, so it is no error
};
struct SeenChange {
  std::string id{};
};
struct SeenTime {
  sql::Time time{};
  bool has_zone = true;  ///< false: read as UTC, and up to 14 h early
};
using Cursor = std::variant<NoCursor, SeenChange, SeenTime>;

/// `last_change_id` comes first.
Cursor ReadCursor(const std::optional<std::string>& last_change_id, const std::optional<std::string>& since);

/// A time without a zone may be so much later than UTC.
inline constexpr std::chrono::hours kEasternmost{14};

/// "2026-01-31T10:22:05.123+08:00" and the like: blank for T, no seconds, up to nine digits of them, no zone.
std::optional<SeenTime> ParseTime(std::string_view text);

}  // namespace syncline::decks
