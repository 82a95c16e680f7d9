#pragma once
// Turns search queries into patterns for texts folded by SearchFolded. Pure.
#include <string>
#include <string_view>
#include <vector>

namespace syncline::schedule {

/// One LIKE pattern per word; all must match. There are no operators. No words: no patterns.
std::vector<std::string> SearchPatterns(std::string_view typed);

/// The longest pattern, which is fastest with an index; a pattern for all texts if there are none.
std::string LongestPattern(const std::vector<std::string>& patterns);

/// A pattern for texts that begin with what was typed.
std::string PrefixPattern(std::string_view typed);

/// Whether a text contains all words.
bool HasAllWords(std::string_view text, std::string_view typed);

/// Whether a room's name is a placeholder: a dash, a question mark, a word for "none".
bool IsPlaceholderRoom(std::string_view name);

/// The building that a room's name begins with, "4" of "4/215"; empty if it names none.
std::string BuildingOf(std::string_view room);

}  // namespace syncline::schedule
