#pragma once
// Normalises user names and passwords. Pure.
#include <optional>
#include <string>
#include <string_view>

namespace syncline::account {

inline constexpr int kMaxNameCharacters = 254;

/// The name in NFC (systems send the same letter composed or decomposed), or none when it is not a valid
/// name: not UTF-8, empty, over kMaxNameCharacters code points, control characters, space at either end, or
/// ':' (Basic authentication splits there).
std::optional<std::string> NormalName(std::string_view typed);

/// As NormalName, for a new account: also none if a character is invisible or changes the text direction,
/// because two names could then look the same.
std::optional<std::string> NewName(std::string_view typed);

/// The same for all spellings of a name, for counting failed logins of names that may not exist. Any bytes.
std::string FoldedName(std::string_view typed);

/// The form of a password that is hashed, by the profile OpaqueString of RFC 8265 (4.2): in NFC, because
/// systems send the same letter composed or decomposed, with every blank replaced by an ordinary space.
/// Nothing is trimmed or folded. Bytes that are not UTF-8 are unchanged. Unlike the profile it accepts
/// control characters, because existing passwords may have them.
std::string NormalPassword(std::string_view typed);

/// At most `limit` code points of `text`, without control characters and those that NewName
/// refuses; empty on invalid UTF-8.
std::string ShortText(std::string_view text, int limit);

}  // namespace syncline::account
