#pragma once
// Names of the files of a deck. Anki would change some names when it writes a file, and then the cards that use the file would
// not find it; those are refused. Pure.
#include <optional>
#include <string>
#include <string_view>

namespace syncline::decks {

inline constexpr std::size_t kMaxMediaNameBytes = 120;

/// Whether Anki keeps this name: in normal form C, without characters that a file system or a reference may not have, not a
/// device of Windows, without a dot at its begin or a dot or blank at its end.
bool IsMediaName(std::string_view name);
/// A name of that kind that is close to this one; none if nothing is left of it.
std::optional<std::string> ProposedName(std::string_view name);
/// By the end of the name; "application/octet-stream" for what no card uses.
std::string_view MediaType(std::string_view name);

/// A SHA-256 hash as 64 hexadecimal digits. None: it is none.
std::optional<std::string> ParseSha256(std::string_view text);

}  // namespace syncline::decks
