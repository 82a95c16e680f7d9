#include "handlers/anime/title_rules.h"

#include <algorithm>

namespace syncline::anime {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

constexpr auto kLongAgo = days(90);

}  // namespace

std::string_view WordOf(AiringStatus status) {
  switch (status) {
    case AiringStatus::kAiring:
      return "airing";
    case AiringStatus::kFinished:
      return "finished";
    default:
      return "upcoming";
  }
}

std::string_view WordOf(Season season) {
  switch (season) {
    case Season::kWinter:
      return "winter";
    case Season::kSpring:
      return "spring";
    case Season::kSummer:
      return "summer";
    default:
      return "fall";
  }
}

std::string_view WordOf(GenreKind kind) {
  switch (kind) {
    case GenreKind::kGenre:
      return "genre";
    case GenreKind::kTheme:
      return "theme";
    case GenreKind::kDemographic:
      return "demographic";
    default:
      return "explicit";
  }
}

std::string SearchTextOf(std::span<const std::string> titles) {
  std::string all;
  const auto add = [&](const std::string& line) {
    if (all.size() + 1 + line.size() > kMaxSearchText) return;
    if (!all.empty()) all += '\n';
    all += line;
  };
  for (const std::string& title : titles) {
    std::string line = FoldedForSearch(title);
    add(line);
    if (std::erase(line, '\'') > 0) add(line);
  }
  return all;
}

Time StaleAt(std::optional<AiringStatus> status, std::optional<std::chrono::year_month_day> ended, Time now,
             std::optional<Time> expires) {
  const bool is_long_over = status == AiringStatus::kFinished && ended && ended->ok() &&
                            std::chrono::sys_days(*ended) + kLongAgo < now;
  const bool is_coming = status == AiringStatus::kAiring || status == AiringStatus::kUpcoming;
  const Time stale = now + (is_coming ? days(1) : is_long_over ? days(30) : days(3));
  // A nonsensical year must not keep a copy for ever.
  return expires ? std::max(stale, std::min(*expires, now + days(30))) : stale;
}

Time RetryAt(int failures, Time now) {
  const int doublings = std::clamp(failures - 1, 0, 5);
  return now + std::min(std::chrono::hours(1) * (1 << doublings), std::chrono::hours(24));
}

bool IsExplicit(const JikanTitle& title) {
  return (title.rating && title.rating->starts_with("Rx")) ||
         std::any_of(title.genres.begin(), title.genres.end(),
                     [](const JikanGenre& genre) { return genre.kind == GenreKind::kExplicit; });
}

bool IsHollow(const JikanTitle& title) {
  return !title.synopsis && !title.status && !title.type && !title.image_url && title.genres.empty();
}

}  // namespace syncline::anime
