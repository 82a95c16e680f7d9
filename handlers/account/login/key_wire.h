#pragma once
// Keys as text: "<user id in base 36>.<43 characters of base64url>", 45 to 57 characters.
//
// The user's id comes first so that a key is looked up inside its tenant; the rest is 32 random bytes. The
// alphabet needs no quoting in the JSON strings, headers, URLs and forms that carry a key. Pure: whether a
// key is live is up to the device store.
#include <optional>
#include <string>
#include <string_view>

#include "handlers/base/ids.h"

namespace syncline::account {

struct NewKey {
  std::string text;  ///< sent to the client once, never stored
  std::string hash;  ///< 32 bytes, for devices.key_hash
};

/// A new key for `user`, from the system's random source.
NewKey MakeKey(UserId user);

struct ParsedKey {
  UserId user{};
  std::string hash;  ///< SHA-256 of the whole text, 32 bytes
};

/// None when it cannot be one of our keys. Every key has exactly one spelling: no leading zeros, no upper
/// case in the id, no padding.
std::optional<ParsedKey> ParseKey(std::string_view text);

/// Whether it has the form of a key of Anki's official sync server: 40 hex digits in lower case. Such a key is not
/// random: it is a hash of name and password.
bool IsForeignKey(std::string_view text);

}  // namespace syncline::account
