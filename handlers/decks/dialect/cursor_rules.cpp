#include "handlers/decks/dialect/cursor_rules.h"

#include <charconv>
#include <chrono>

#include "handlers/base/header_values.h"
#include "handlers/decks/dialect/id_wire.h"

namespace syncline::decks {
namespace {

// Takes pieces of a text from its front.
class Pieces {
 public:
  explicit Pieces(std::string_view text) : rest_(text) {}
  bool Take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::optional<int> Digits(std::size_t count) {
    int value = 0;
    if (rest_.size() < count) return std::nullopt;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + count, value);
    if (error != std::errc() || end != rest_.data() + count || value < 0) return std::nullopt;
    rest_.remove_prefix(count);
    return value;
  }
  /// Digits after the point, as microseconds.
  std::optional<int> Fraction() {
    int micros = 0;
    std::size_t count = 0;
    for (; count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9'; ++count) {
      if (count < 6) micros = micros * 10 + (rest_[count] - '0');
    }
    if (count == 0 || count > 9) return std::nullopt;
    for (std::size_t i = count; i < 6; ++i) micros *= 10;
    rest_.remove_prefix(count);
    return micros;
  }
  bool IsEmpty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::optional<std::chrono::minutes> Zone(Pieces& pieces) {
  if (pieces.Take('Z') || pieces.Take('z')) return std::chrono::minutes(0);
  const bool is_west = pieces.Take('-');
  if (!is_west && !pieces.Take('+')) return std::nullopt;
  const auto hours = pieces.Digits(2);
  pieces.Take(':');
  const auto minutes = pieces.IsEmpty() ? std::optional(0) : pieces.Digits(2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::chrono::minutes offset(*hours * 60 + *minutes);
  return is_west ? -offset : offset;
}

}  // namespace

std::optional<SeenTime> ParseTime(std::string_view text) {
  Pieces pieces(TrimmedBlanks(text));
  const auto year = pieces.Digits(4);
  const bool has_month = year && pieces.Take('-');
  const auto month = has_month ? pieces.Digits(2) : std::nullopt;
  const auto day = month && pieces.Take('-') ? pieces.Digits(2) : std::nullopt;
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  // PostgreSQL's times end later, and nothing of ours is older.
  if (!date.ok() || *year < 1970 || *year > 9998) return std::nullopt;
  sql::Time time = std::chrono::sys_days(date);
  if (pieces.IsEmpty()) return SeenTime{time, false};
  if (!pieces.Take('T') && !pieces.Take('t') && !pieces.Take(' ')) return std::nullopt;
  const auto hour = pieces.Digits(2);
  const auto minute = hour && pieces.Take(':') ? pieces.Digits(2) : std::nullopt;
  const auto second = minute && pieces.Take(':') ? pieces.Digits(2)
                      : minute                   ? std::optional(0)
                                                 : std::nullopt;
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const auto micros = pieces.Take('.') ? pieces.Fraction() : std::optional(0);
  if (!micros) return std::nullopt;
  time += std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second) +
          std::chrono::microseconds(*micros);
  if (pieces.IsEmpty()) return SeenTime{time, false};
  const auto offset = Zone(pieces);
  if (!offset || !pieces.IsEmpty()) return std::nullopt;
  return SeenTime{time - *offset, true};
}

Cursor ReadCursor(const std::optional<std::string>& last_change_id, const std::optional<std::string>& since) {
  if (last_change_id && !last_change_id->empty()) return SeenChange{*last_change_id};
  if (!since || since->empty()) return NoCursor{};
  if (IsUuid(*since)) return SeenChange{*since};
  if (const auto time = ParseTime(*since)) return *time;
  return NoCursor{.is_unreadable = true};
}

}  // namespace syncline::decks
