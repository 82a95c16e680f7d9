#pragma once
// Names of media files in packages, as Anki stores them. Pure. Source: reference, sections 8.8 and 9.1.
#include <string>
#include <string_view>

namespace syncline::anki {

/// Whether the name is a plain file name and not a path.
bool IsPlainFileName(std::string_view name);

/// The name in the form in which clients keep files: in NFC, without characters that some system refuses, at most 120
/// bytes. Empty if nothing is left. The name must be UTF-8.
std::string NormalMediaName(std::string_view name);

/// A name for other content: "stem-<SHA-1>.ext".
std::string NameWithHash(std::string_view name, std::string_view sha1);

/// Used by templates and styles, not by notes: imported whenever it is absent, and never under another name.
bool IsStaticMedia(std::string_view name);

}  // namespace syncline::anki
