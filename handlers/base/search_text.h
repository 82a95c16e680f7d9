#pragma once
// Normalises texts for searches. Left out on purpose: rules of a language or a service, such as Cyrillic
// letters that people interchange.
#include <cstddef>
#include <string>
#include <string_view>

namespace syncline {

/// The first `characters` of a UTF-8 text.
std::string CutToCharacters(const std::string& text, std::size_t characters);

/// The text folded for comparison: case, width and quote style are unified; soft hyphens and other invisible
/// characters are removed.
std::string FoldedForSearch(std::string_view text);
/// A LIKE pattern for texts that contain this one, with wildcards escaped.
std::string PatternFor(std::string_view folded);

}  // namespace syncline
