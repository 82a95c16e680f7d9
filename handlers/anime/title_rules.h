#pragma once
// Decisions about titles of the catalogue: how texts are compared in searches, and when a copy of the upstream's is too
// old. Pure.
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

/// What searches look into: every text folded, one a line; those with an apostrophe once more without it, so that
/// "howls" finds "Howl's". At most kMaxSearchText bytes: lines that would be more are left out.
std::string SearchTextOf(std::span<const std::string> titles);

using Time = std::chrono::system_clock::time_point;

/// When to ask the upstream again about a title that it has just described. It keeps its own copies for a day, so asking
/// earlier is of no use. `expires`: what it says itself.
Time StaleAt(std::optional<AiringStatus> status, std::optional<std::chrono::year_month_day> ended, Time now,
             std::optional<Time> expires);
/// After the `failures`-th failure in a row (from 1): an hour, doubled each time up to a day.
Time RetryAt(int failures, Time now);

/// Whether the title is for adults only: by its rating, or by a genre.
bool IsExplicit(const JikanTitle& title);
/// Whether the answer says so little that it must not replace what we know.
bool IsHollow(const JikanTitle& title);

}  // namespace syncline::anime
