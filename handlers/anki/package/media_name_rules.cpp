#include "handlers/anki/package/media_name_rules.h"

#include <utf8proc.h>

#include <algorithm>
#include <utility>

#include "handlers/base/header_values.h"
#include "handlers/base/sha256.h"
#include "handlers/base/utf8.h"

namespace syncline::anki {
namespace {

constexpr std::size_t kMaxBytes = 120, kMaxExtensionBytes = 10, kHashBytes = 41;

// A longest prefix of whole characters.
std::string_view Cut(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

// Stem and extension, cut so that both with a dot and one more character have `bytes`.
std::pair<std::string_view, std::string_view> Split(std::string_view name, std::size_t bytes) {
  const auto dot = name.rfind('.');
  std::string_view stem = name.substr(0, dot), extension;
  if (dot != std::string_view::npos) extension = Cut(name.substr(dot + 1), kMaxExtensionBytes);
  return {Cut(stem, bytes - extension.size() - 2), extension};
}

bool IsDisallowed(utf8proc_int32_t c) {
  if (c < 0x80)
    return c < 0x20 || c == 0x7F ||
           std::string_view("[]<>:\"/?*^\\|").find(static_cast<char>(c)) != std::string_view::npos;
  return utf8proc_category(c) == UTF8PROC_CATEGORY_CN;
}

// Removes what is not allowed, and makes no-break spaces plain ones.
std::string Cleaned(std::string_view name) {
  std::string clean;
  while (!name.empty()) {
    utf8proc_int32_t c = 0;
    const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(name.data()),
                                       static_cast<utf8proc_ssize_t>(name.size()), &c);
    if (size <= 0) return "";
    if (c == 0xA0) {
      clean += ' ';
    } else if (!IsDisallowed(c)) {
      clean += name.substr(0, static_cast<std::size_t>(size));
    }
    name.remove_prefix(static_cast<std::size_t>(size));
  }
  return clean;
}

// Windows treats "con" and "con.txt" as a device.
bool IsDeviceName(std::string_view name) {
  const std::string stem = LoweredAscii(name.substr(0, name.find('.')));
  if (stem == "con" || stem == "prn" || stem == "aux" || stem == "nul") return true;
  return stem.size() == 4 && (stem.starts_with("com") || stem.starts_with("lpt")) && stem[3] >= '1' &&
         stem[3] <= '9';
}

bool EndsBadly(std::string_view name) {
  return name.ends_with(' ') || name.ends_with('.');
}

}  // namespace

bool IsPlainFileName(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos && IsUtf8(name);
}

std::string NormalMediaName(std::string_view raw) {
  std::string name = Cleaned(Nfc(raw));
  if (IsDeviceName(name)) name.insert(std::min(name.find('.'), name.size()), 1, '_');
  if (EndsBadly(name)) name += '_';
  if (name.size() <= kMaxBytes) return name;
  const auto [stem, extension] = Split(name, kMaxBytes);
  std::string cut(stem);
  if (!extension.empty()) cut.append(".").append(extension);
  if (EndsBadly(cut)) cut += '_';
  return cut;
}

std::string NameWithHash(std::string_view name, std::string_view sha1) {
  const auto [stem, extension] = Split(name, kMaxBytes - kHashBytes);
  return std::string(stem) + "-" + HexText(sha1) + "." + std::string(extension);
}

bool IsStaticMedia(std::string_view name) {
  return name.starts_with('_') || name.starts_with("latex-");
}

}  // namespace syncline::anki
