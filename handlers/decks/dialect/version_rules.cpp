#include "handlers/decks/dialect/version_rules.h"

#include <array>
#include <charconv>

#include "handlers/base/header_values.h"

namespace syncline::decks {
namespace {

constexpr std::int64_t kPart = 1'000'000;
constexpr std::size_t kMaxDigits = 6;

std::array<std::int64_t, 3> PartsOf(Version version) {
  const std::int64_t number = Number(version);
  return {number / kPart / kPart, number / kPart % kPart, number % kPart};
}

}  // namespace

std::optional<Version> ParseVersion(std::string_view text) {
  text = TrimmedBlanks(text);
  if (text.starts_with('v') || text.starts_with('V')) text.remove_prefix(1);
  std::int64_t number = 0;
  for (int part = 0; part < 3; ++part) {
    std::int64_t value = 0;
    if (part == 0 || !text.empty()) {
      if (part > 0) {
        if (text.front() != '.') return std::nullopt;
        text.remove_prefix(1);
      }
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      const auto digits = static_cast<std::size_t>(end - text.data());
      if (error != std::errc() || digits > kMaxDigits || value < 0) return std::nullopt;
      text.remove_prefix(digits);
    }
    number = number * kPart + value;
  }
  if (!text.empty() || number == 0) return std::nullopt;
  return Version{number};
}

bool HasNext(Version version) {
  return Number(version) < kPart * kPart * kPart - 1;
}

std::string PrintVersion(Version version) {
  const auto [major, minor, patch] = PartsOf(version);
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

std::optional<std::string> PrintVersion(const std::optional<Version>& version) {
  return version ? std::optional(PrintVersion(*version)) : std::nullopt;
}

std::string_view KindOfUpdate(Version from, Version to) {
  constexpr std::string_view kNames[] = {"major", "minor", "patch"};
  const auto before = PartsOf(from), after = PartsOf(to);
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i] != after[i]) return kNames[i];
  }
  return "none";
}

}  // namespace syncline::decks
