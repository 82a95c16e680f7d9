#pragma once
// Bytes from outside as UTF-8 (RFC 3629). Left out on purpose: normal forms and case (account/name_wire.h,
// anki/objects/unicase_wire.h), which differ from service to service.
#include <cstddef>
#include <string>
#include <string_view>

namespace syncline {

/// Whether the bytes are UTF-8: no surrogates, nothing overlong, nothing above U+10FFFF. NUL is UTF-8.
bool IsUtf8(std::string_view bytes) noexcept;

/// UTF-8 without NUL: what a column of type text takes.
bool IsStorableText(std::string_view bytes) noexcept;

/// Each byte that does not belong to a character becomes U+FFFD; UTF-8 stays as it is.
std::string ReplacedInvalid(std::string_view bytes);

/// Makes of any bytes text as PostgreSQL takes it: NUL goes, what is not UTF-8 becomes U+FFFD.
void MakeText(std::string& text);

/// Number of code points. The text must be UTF-8.
std::size_t CountCharacters(std::string_view text) noexcept;

}  // namespace syncline
