#pragma once
// Versions of a deck: three numbers, compared as numbers. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace syncline::decks {

/// major * 10^12 + minor * 10^6 + patch, so that versions compare, are stored and are indexed as numbers.
enum class Version : std::int64_t {};

inline constexpr Version kFirstVersion{1'000'000'000'000};  ///< 1.0.0

constexpr std::int64_t Number(Version version) {
  return static_cast<std::int64_t>(version);
}
constexpr Version NextPatch(Version version) {
  return Version{Number(version) + 1};
}

/// False for the last version of all.
bool HasNext(Version version);

/// "1", "1.2", "1.2.3", each with an optional "v" before it and blanks around it; missing parts are 0, parts have up to six
/// digits. None: anything else, and 0.0.0.
std::optional<Version> ParseVersion(std::string_view text);
/// "1.2.3"
std::string PrintVersion(Version version);
std::optional<std::string> PrintVersion(const std::optional<Version>& version);
/// The first part that differs: "major", "minor" or "patch"; "none" if they are equal.
std::string_view KindOfUpdate(Version from, Version to);

}  // namespace syncline::decks
