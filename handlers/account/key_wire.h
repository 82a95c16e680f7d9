#pragma once
// The keys we hand out, as text: "<user id in base 36>.<43 characters of base64url>", 45 to 57 characters.
//
// The user's id stands in front so that a key is looked up inside its tenant; the rest is 32 random bytes.
// The alphabet needs no quoting anywhere: clients put the key into a JSON string in a header, a URL or a
// form. Pure: whether a key is known is the device store's question.
#include <optional>
#include <string>
#include <string_view>

#include "handlers/base/ids.h"

namespace syncline::account {

struct NewKey {
  std::string text;  ///< to be told to the client once, never stored
  std::string hash;  ///< 32 bytes, what devices.key_hash holds
};

/// A fresh key of `user`, from the system's random source.
NewKey MakeKey(UserId user);

struct ParsedKey {
  UserId user{};
  std::string hash;  ///< SHA-256 of the whole text, 32 bytes
};

/// None when it cannot be one of ours. There is one spelling of every key: no leading zeros, no upper case in
/// the id, no padding.
std::optional<ParsedKey> ParseKey(std::string_view text);

}  // namespace syncline::account
