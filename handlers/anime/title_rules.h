#pragma once
// Rules for titles of the catalogue: how searches compare texts, and when a copy is stale. Pure.
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "handlers/anime/jikan_wire.h"
#include "handlers/base/search_text.h"

namespace syncline::anime {

/// Ids are at most this in all answers and in the database, where they are 32 bits wide.
inline constexpr std::int64_t kMaxId = 2'147'483'647;

inline constexpr std::string_view kStatuses[] = {"airing", "finished", "upcoming"};
inline constexpr std::string_view kSeasons[] = {"winter", "summer", "spring", "fall"};

std::string_view WordOf(AiringStatus status);
std::string_view WordOf(Season season);
std::string_view WordOf(GenreKind kind);

inline constexpr std::size_t kMaxSynopsis = 20'000;      ///< characters
inline constexpr std::size_t kMaxSearchText = 16 << 10;  ///< bytes

/// The text that searches match: every title folded, one per line; titles with an apostrophe once more
/// without it, so that "howls" finds "Howl's". At most kMaxSearchText bytes: further lines are dropped.
std::string SearchTextOf(std::span<const std::string> titles);

using Time = std::chrono::system_clock::time_point;

/// When to fetch a title again after a successful fetch. The upstream caches its own copies for a day, so
/// asking earlier is useless. `expires`: the upstream's own expiry.
Time StaleAt(std::optional<AiringStatus> status, std::optional<std::chrono::year_month_day> ended, Time now,
             std::optional<Time> expires);
/// After the `failures`-th failure in a row (from 1): an hour, doubled each time up to a day.
Time RetryAt(int failures, Time now);

/// Whether the title is for adults only: by its rating, or by a genre.
bool IsExplicit(const JikanTitle& title);
/// Whether the answer has so little data that it must not replace the stored title.
bool IsHollow(const JikanTitle& title);

}  // namespace syncline::anime
