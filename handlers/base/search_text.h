#pragma once
// Texts as searches compare them. Left out on purpose: what a language or a service adds, such as Cyrillic letters that
// people interchange.
#include <cstddef>
#include <string>
#include <string_view>

namespace syncline {

/// The first `characters` of a text, which is UTF-8.
std::string CutToCharacters(const std::string& text, std::size_t characters);

/// The text as searches compare it: without differences of case, of width and of the form of quotes. Soft hyphens and
/// other characters that nobody sees are left out.
std::string FoldedForSearch(std::string_view text);
/// A pattern for LIKE: texts that contain this one. No character of it is a wildcard.
std::string PatternFor(std::string_view folded);

}  // namespace syncline
