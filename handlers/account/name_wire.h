#pragma once
// Names as people type them. Pure.
#include <optional>
#include <string>
#include <string_view>

namespace syncline::account {

inline constexpr int kMaxNameCharacters = 200;

/// The name in Unicode's composed form (the same letter arrives in two spellings from different systems), or
/// none when no account can be called so: not UTF-8, empty, over kMaxNameCharacters code points, control
/// characters, space at either end, or ':' (Basic authentication ends the name there).
std::optional<std::string> NormalName(std::string_view typed);

/// What all spellings of a name share, for counting failed logins of names that may not exist. Any bytes.
std::string FoldedName(std::string_view typed);

/// At most `limit` code points of `text`, without control characters; what is no UTF-8 becomes empty.
std::string ShortText(std::string_view text, int limit);

}  // namespace syncline::account
