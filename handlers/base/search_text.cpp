#include "handlers/base/search_text.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>
#include <utility>

namespace syncline {
namespace {

// Typographic apostrophes and quotes in UTF-8, and the characters that replace them in comparisons.
constexpr std::pair<std::string_view, char> kQuotes[] = {
    {"\u2018", '\''}, {"\u2019", '\''}, {"\u201b", '\''}, {"\u02bc", '\''}, {"\u00b4", '\''}, {"`", '\''},
    {"\u201c", '"'},  {"\u201d", '"'},  {"\u201e", '"'},  {"\u00ab", '"'},  {"\u00bb", '"'},
};

std::string WithPlainQuotes(std::string text) {
  for (const auto& [quote, plain] : kQuotes) {
    for (std::size_t at = text.find(quote); at != std::string::npos; at = text.find(quote, at + 1))
      text.replace(at, quote.size(), 1, plain);
  }
  return text;
}

}  // namespace

std::string CutToCharacters(const std::string& text, std::size_t characters) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool begins_character = (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
    if (begins_character && characters-- == 0) return text.substr(0, at);
  }
  return text;
}

std::string FoldedForSearch(std::string_view text) {
  // Before normalisation, which decomposes an acute accent into a blank and a mark.
  const std::string plain = WithPlainQuotes(std::string(text));
  utf8proc_uint8_t* folded = nullptr;
  constexpr auto kOptions = static_cast<utf8proc_option_t>(
      UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(plain.data()),
                                 static_cast<utf8proc_ssize_t>(plain.size()), &folded, kOptions);
  const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> owner(folded, std::free);
  if (size < 0) return plain;  // not UTF-8
  return WithPlainQuotes({reinterpret_cast<const char*>(folded), static_cast<std::size_t>(size)});
}

std::string PatternFor(std::string_view folded) {
  std::string pattern = "%";
  for (const char c : folded) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + '%';
}

}  // namespace syncline
