#include "handlers/account/login/key_wire.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "handlers/base/base64.h"
#include "handlers/base/seal.h"
#include "handlers/base/sha256.h"

namespace syncline::account {
namespace {

constexpr std::size_t kRandomBytes = 32;
constexpr std::size_t kRandomCharacters = 43;  // 32 bytes in base64 without padding
constexpr std::size_t kMaxIdCharacters = 13;   // 2^63 in base 36

std::string IdText(UserId user) {
  std::array<char, kMaxIdCharacters + 1> text;
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), static_cast<std::int64_t>(user), 36).ptr;
  return {text.data(), end};
}

bool IsBase64Url(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

}  // namespace

NewKey MakeKey(UserId user) {
  StartSodium();
  std::array<unsigned char, kRandomBytes> random;
  randombytes_buf(random.data(), random.size());
  NewKey key;
  key.text = IdText(user) + "." +
             ToBase64({reinterpret_cast<const char*>(random.data()), random.size()},
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  key.hash = Sha256(key.text);
  return key;
}

std::optional<ParsedKey> ParseKey(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos || dot == 0 || dot > kMaxIdCharacters) return std::nullopt;
  if (text.size() - dot - 1 != kRandomCharacters) return std::nullopt;
  if (!std::all_of(text.begin() + static_cast<std::ptrdiff_t>(dot) + 1, text.end(), IsBase64Url))
    return std::nullopt;
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + dot, id, 36);
  if (error != std::errc() || end != text.data() + dot || id <= 0) return std::nullopt;
  // from_chars also accepts upper case and leading zeros.
  if (IdText(UserId{id}) != text.substr(0, dot)) return std::nullopt;
  return ParsedKey{UserId{id}, Sha256(text)};
}

bool IsForeignKey(std::string_view text) {
  constexpr std::size_t kSha1Digits = 40;
  return text.size() == kSha1Digits && text.find_first_not_of("0123456789abcdef") == text.npos;
}

}  // namespace syncline::account
