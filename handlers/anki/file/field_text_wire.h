#pragma once
// What Anki stores beside a note's fields: the sort field, and the checksum that finds duplicates. Sync does
// not carry them, so whoever writes a note into a file computes them.
//
// Clients search duplicates by the checksum, so the text must be stripped byte for byte as upstream does it:
// by its regular expressions, not by an HTML parser. All of it takes time linear in the length of the field.
// Left out on purpose: sound tags, clozes, LaTeX, none of which upstream touches here. Source: reference,
// section 7.3.
#include <cstdint>
#include <string>
#include <string_view>

namespace syncline::anki {

/// Media tags become their file name between spaces; comments, styles, scripts and other tags go; then
/// entities are decoded. One malformed or unknown entity, and all of them stay as they are.
std::string StripHtml(std::string_view html);

/// The first four bytes of the SHA-1 of `stripped`, big-endian.
std::uint32_t FieldChecksum(std::string_view stripped);

/// The `index`th of fields joined by U+001F; empty beyond the last one.
std::string_view FieldAt(std::string_view fields, std::uint32_t index);

}  // namespace syncline::anki
