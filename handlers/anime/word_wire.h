#pragma once
// Texts of words separated by blanks, as used in our own statements and Redis values.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

namespace syncline::anime {

/// Removes the first word and the following blank from `text`, and returns the word.
inline std::string_view TakeWord(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(text.size(), word.size() + 1));
  return word;
}

/// As TakeWord, for a number; 0 if the word is not one.
inline std::int64_t TakeNumber(std::string_view& text) {
  const std::string_view word = TakeWord(text);
  std::int64_t number = 0;
  std::from_chars(word.data(), word.data() + word.size(), number);
  return number;
}

}  // namespace syncline::anime
