#include "handlers/schedule/reading/search_rules.h"

#include <algorithm>

#include "handlers/base/search_text.h"
#include "handlers/schedule/lessons/name_rules.h"

namespace syncline::schedule {
namespace {

constexpr std::size_t kMaxWords = 10;

// In lower case: "none", "no room", "not given".
constexpr std::string_view kPlaceholders[] = {"нет",  "без аудитории", "не указана",
                                              "ауд.", "аудитория",     "none"};

std::vector<std::string> Words(std::string_view typed) {
  std::vector<std::string> words = SplitWords(SearchFolded(ShownText(typed)), ' ');
  if (words.size() > kMaxWords) words.resize(kMaxWords);
  return words;
}

}  // namespace

std::vector<std::string> SearchPatterns(std::string_view typed) {
  std::vector<std::string> patterns;
  for (const std::string& word : Words(typed)) patterns.push_back(PatternFor(word));
  return patterns;
}

std::string LongestPattern(const std::vector<std::string>& patterns) {
  const auto longest = std::max_element(patterns.begin(), patterns.end(),
                                        [](const auto& a, const auto& b) { return a.size() < b.size(); });
  return longest == patterns.end() ? "%" : *longest;
}

std::string PrefixPattern(std::string_view typed) {
  return PatternFor(SearchFolded(ShownText(typed))).substr(1);
}

bool HasAllWords(std::string_view text, std::string_view typed) {
  const std::string folded = SearchFolded(text);
  const std::vector<std::string> words = Words(typed);
  return std::all_of(words.begin(), words.end(),
                     [&](const std::string& word) { return folded.find(word) != std::string::npos; });
}

bool IsPlaceholderRoom(std::string_view name) {
  const std::string key = SearchFolded(ShownText(name));
  if (key.find_first_not_of(" -?.*_/") == std::string::npos) return true;
  return std::any_of(std::begin(kPlaceholders), std::end(kPlaceholders),
                     [&](std::string_view word) { return key == SearchFolded(word); });
}

std::string BuildingOf(std::string_view room) {
  const std::size_t slash = room.find('/');
  if (slash == std::string_view::npos || slash == 0) return {};
  return ShownText(room.substr(0, slash));
}

}  // namespace syncline::schedule
