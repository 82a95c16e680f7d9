#include "handlers/base/utf8.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace syncline {
namespace {

// Length of the character that begins at `at`; 0 if none does.
std::size_t CharacterAt(std::string_view bytes, std::size_t at) noexcept {
  utf8proc_int32_t code_point = 0;
  const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(bytes.data() + at),
                                       static_cast<utf8proc_ssize_t>(bytes.size() - at), &code_point);
  return length > 0 ? static_cast<std::size_t>(length) : 0;
}

}  // namespace

bool IsUtf8(std::string_view bytes) noexcept {
  std::size_t i = 0;
  while (i < bytes.size()) {
    std::uint64_t block = 0;
    if (i + sizeof(block) <= bytes.size()) {
      std::memcpy(&block, bytes.data() + i, sizeof(block));
      if ((block & 0x8080808080808080U) == 0) {
        i += sizeof(block);
        continue;
      }
    }
    if (static_cast<unsigned char>(bytes[i]) < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = CharacterAt(bytes, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

bool IsStorableText(std::string_view bytes) noexcept {
  return bytes.find('\0') == std::string_view::npos && IsUtf8(bytes);
}

std::string ReplacedInvalid(std::string_view bytes) {
  if (IsUtf8(bytes)) return std::string(bytes);
  std::string clean;
  clean.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size();) {
    const std::size_t length = CharacterAt(bytes, i);
    clean += length > 0 ? bytes.substr(i, length) : std::string_view("\xEF\xBF\xBD");
    i += std::max<std::size_t>(length, 1);
  }
  return clean;
}

void MakeText(std::string& text) {
  std::erase(text, '\0');
  if (!IsUtf8(text)) text = ReplacedInvalid(text);
}

std::size_t CountCharacters(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string Nfc(std::string_view text) {
  if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<signed char>(c) >= 0; })) {
    return std::string(text);  // ASCII
  }
  utf8proc_uint8_t* mapped = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                 static_cast<utf8proc_ssize_t>(text.size()), &mapped,
                                 static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owned(mapped, &std::free);
  if (size < 0) return std::string(text);
  return {reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size)};
}

}  // namespace syncline
