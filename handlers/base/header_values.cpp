#include "handlers/base/header_values.h"

namespace syncline {
namespace {

bool IsBlank(char c) {
  return c == ' ' || c == '\t';
}

// Removes a quoted string from the front of `rest` and returns its text. Old browsers sent file names with
// plain backslashes, so only \" and \\ are escapes.
std::optional<std::string> TakeQuoted(std::string_view& rest) {
  std::string text;
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return text;
    }
    if (rest[i] == '\\' && i + 1 < rest.size() && (rest[i + 1] == '"' || rest[i + 1] == '\\')) ++i;
    text += rest[i];
  }
  return std::nullopt;
}

}  // namespace

std::string_view TrimmedBlanks(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

std::string LoweredAscii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

const std::string* HeaderParameters::Find(std::string_view name) const {
  for (const auto& [key, text] : parameters) {
    if (key == name) return &text;
  }
  return nullptr;
}

std::optional<HeaderParameters> ParseHeaderParameters(std::string_view header) {
  HeaderParameters result;
  std::string_view rest = header;
  const std::string_view value = rest.substr(0, rest.find(';'));
  rest.remove_prefix(value.size());
  result.value = LoweredAscii(TrimmedBlanks(value));
  if (result.value.empty()) return std::nullopt;
  while (!(rest = TrimmedBlanks(rest)).empty()) {
    if (rest.front() != ';') return std::nullopt;
    rest = TrimmedBlanks(rest.substr(1));
    if (rest.empty() || rest.front() == ';') continue;  // RFC 9110 allows empty parameters
    const std::size_t equals = rest.find('=');
    if (equals == rest.npos || equals == 0) return std::nullopt;
    const std::string name = LoweredAscii(TrimmedBlanks(rest.substr(0, equals)));
    rest = TrimmedBlanks(rest.substr(equals + 1));
    std::optional<std::string> text;
    if (!rest.empty() && rest.front() == '"') {
      text = TakeQuoted(rest);
      if (!text) return std::nullopt;
    } else {
      const std::string_view token = rest.substr(0, rest.find(';'));
      rest.remove_prefix(token.size());
      if (token.find('"') != token.npos) return std::nullopt;
      text = std::string(TrimmedBlanks(token));
    }
    if (result.Find(name) != nullptr) return std::nullopt;
    result.parameters.emplace_back(name, std::move(*text));
  }
  return result;
}

}  // namespace syncline
