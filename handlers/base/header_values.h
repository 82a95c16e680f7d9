#pragma once
// Syntax that header values have in common (RFC 9110, section 5.6).
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace syncline {

/// Without spaces and tabs at both ends.
std::string_view TrimmedBlanks(std::string_view text);

/// A to Z in lower case; all other bytes as they are.
std::string LoweredAscii(std::string_view text);

/// `value; name=token; name="quoted \" text"`, as in Content-Type and Content-Disposition.
struct HeaderParameters {
  std::string value;                                            ///< in lower case
  std::vector<std::pair<std::string, std::string>> parameters;  ///< names in lower case
  const std::string* Find(std::string_view name) const;
};

/// None if malformed or a parameter occurs twice.
std::optional<HeaderParameters> ParseHeaderParameters(std::string_view header);

}  // namespace syncline
