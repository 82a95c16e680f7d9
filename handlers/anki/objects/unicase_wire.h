#pragma once
// Anki's `unicase` collation: the order of names in every collated index of a schema 14+ file.
//
// A client checks those indexes with its own collation when it opens a downloaded file, so ours must order
// and equate exactly as the one that upstream pins (the Rust crate unicase 2.6.0) does, its oddities
// included. utf8proc has the case foldings; the differences to the pinned tables are listed in the .cpp. Left
// out on purpose: normalisation and locales, which the collation does not know either.
#include <string>
#include <string_view>

struct sqlite3;

namespace syncline::anki {

/// <0, 0, >0 like memcmp. Any bytes are accepted; what is not UTF-8 compares as U+FFFD, one for each byte.
int UnicaseCompare(std::string_view a, std::string_view b) noexcept;

/// A key that is byte for byte equal for two names exactly when the collation says they are equal. For maps
/// of names.
std::string UnicaseKey(std::string_view name);

/// Registers the collation `unicase` on a connection. Throws std::bad_alloc when SQLite cannot.
void RegisterUnicase(sqlite3* db);

}  // namespace syncline::anki
