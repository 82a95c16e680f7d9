#pragma once
// Anki's `unicase` collation: the order of names in every collated index of a schema 14+ file.
//
// A client checks those indexes with its own collation when it opens a downloaded file. So ours must order
// and equate exactly as the one that upstream pins (the Rust crate unicase 2.6.0), quirks included. The case
// foldings come from utf8proc; the .cpp lists the differences from the pinned tables. Left out on purpose:
// normalization and locales, which the collation ignores, too.
#include <string>
#include <string_view>

struct sqlite3;

namespace syncline::anki {

/// <0, 0, >0 like memcmp. Accepts any bytes; each byte that is not valid UTF-8 compares as one U+FFFD.
int UnicaseCompare(std::string_view a, std::string_view b) noexcept;

/// A key for maps of names: the keys of two names are byte-for-byte equal if and only if the collation
/// equates the names.
std::string UnicaseKey(std::string_view name);

/// Registers the collation `unicase` on a connection. Throws std::bad_alloc if SQLite refuses.
void RegisterUnicase(sqlite3* db);

}  // namespace syncline::anki
