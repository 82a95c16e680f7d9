#pragma once
// What people type into a search, as patterns for texts that SearchFolded has folded. Pure.
#include <string>
#include <string_view>
#include <vector>

namespace syncline::schedule {

/// One pattern of LIKE for each word; all are wanted. Nothing in a text is an operator. No words: none.
std::vector<std::string> SearchPatterns(std::string_view typed);

/// The longest of the patterns, which an index finds fastest; all texts if there are none.
std::string LongestPattern(const std::vector<std::string>& patterns);

/// A pattern for texts that begin with what was typed.
std::string PrefixPattern(std::string_view typed);

/// Whether a text contains all words.
bool HasAllWords(std::string_view text, std::string_view typed);

/// Whether a room's name says that there is none: a dash, a question mark, a word for it.
bool IsPlaceholderRoom(std::string_view name);

/// The building that a room's name begins with, "4" of "4/215"; empty if it names none.
std::string BuildingOf(std::string_view room);

}  // namespace syncline::schedule
