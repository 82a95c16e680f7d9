#pragma once
// The values that Anki derives from a note's fields: the sort field, and the checksum that finds duplicates.
// Sync does not carry them, so the file writer computes them.
//
// Clients search duplicates by the checksum, so the result of stripping must be byte-for-byte that of
// upstream's regular expressions; an HTML parser would differ. Runs in time linear in the length of the
// field. Left out on purpose: sound tags, clozes, LaTeX, which upstream does not strip here either. Source:
// reference, section 7.3.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::anki {

/// Replaces media tags by their file name between spaces; removes comments, styles, scripts and other tags;
/// then decodes entities. If one entity is malformed or unknown, none is decoded.
std::string StripHtml(std::string_view html);

/// Calls `rename` with the name of every media file that a field refers to, in tags and in [sound:...], entities
/// decoded. If it returns a name, the result has that name instead, with entities if the old one had them.
std::string ReplaceMediaReferences(
    std::string_view html, const std::function<std::optional<std::string>(const std::string& name)>& rename);

/// The names of the images that Anki renders from the LaTeX in a field, without extension: "latex-<SHA-1>".
std::vector<std::string> LatexImages(std::string_view html);

/// The first four bytes of the SHA-1 of `stripped`, big-endian.
std::uint32_t FieldChecksum(std::string_view stripped);

/// Field `index`, from 0, of fields joined by U+001F; empty beyond the last one.
std::string_view FieldAt(std::string_view fields, std::uint32_t index);

}  // namespace syncline::anki
