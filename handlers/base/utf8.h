#pragma once
// Validation of external bytes as UTF-8 (RFC 3629), and normal form C. Left out on purpose: case and other forms
// (account/name_wire.h, anki/objects/unicase_wire.h), which differ from service to service.
#include <cstddef>
#include <string>
#include <string_view>

namespace syncline {

/// Whether the bytes are UTF-8: no surrogates, no overlong forms, nothing above U+10FFFF. NUL is valid.
bool IsUtf8(std::string_view bytes) noexcept;

/// UTF-8 without NUL: what a column of type text accepts.
bool IsStorableText(std::string_view bytes) noexcept;

/// Replaces each byte that is not part of a valid character by U+FFFD.
std::string ReplacedInvalid(std::string_view bytes);

/// Turns any bytes into text that PostgreSQL accepts: removes NULs, replaces invalid UTF-8 by U+FFFD.
void MakeText(std::string& text);

/// The text in Unicode's normal form C; unchanged if it is not UTF-8.
std::string Nfc(std::string_view text);

/// Number of code points. The text must be UTF-8.
std::size_t CountCharacters(std::string_view text) noexcept;

}  // namespace syncline
