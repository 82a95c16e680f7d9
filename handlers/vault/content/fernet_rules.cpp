#include "handlers/vault/content/fernet_rules.h"

#include <sodium.h>

#include <algorithm>

#include "handlers/base/base64.h"

namespace syncline::vault {
namespace {

constexpr std::uint64_t kSalt = 16;
// Salt, and the token of an empty plaintext: version, time, IV, one block, HMAC.
constexpr std::uint64_t kSmallest = 116;
constexpr std::uint64_t kFixedBytes = 57, kBlock = 16;
// As many characters as make whole bytes: version and time are nine bytes.
constexpr std::size_t kBeginning = 12;
constexpr unsigned char kVersion = 0x80;
constexpr std::chrono::hours kClockSkew{24};
// The last second that a system_clock of nanoseconds can hold.
constexpr std::uint64_t kLastSecond = 9'000'000'000;

bool IsBase64Url(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

}  // namespace

void FernetScan::Write(std::string_view bytes) {
  const std::uint64_t salt = std::min<std::uint64_t>(bytes.size(), kSalt - std::min(size_, kSalt));
  size_ += bytes.size();
  if (!is_possible_) return;
  bytes.remove_prefix(static_cast<std::size_t>(salt));
  for (const char c : bytes) {
    const bool is_padding = c == '=';
    if (is_padding ? ++padding_ > 2 : padding_ > 0 || !IsBase64Url(c)) {
      is_possible_ = false;
      return;
    }
  }
  beginning_.append(bytes.substr(0, kBeginning - beginning_.size()));
}

std::optional<std::chrono::system_clock::time_point> FernetScan::Finish(
    std::chrono::system_clock::time_point now) const {
  if (!is_possible_ || size_ < kSmallest || (size_ - kSalt) % 4 != 0) return std::nullopt;
  const std::uint64_t decoded = (size_ - kSalt) / 4 * 3 - static_cast<std::uint64_t>(padding_);
  if (decoded <= kFixedBytes || (decoded - kFixedBytes) % kBlock != 0) return std::nullopt;
  const auto head = FromBase64(beginning_, sodium_base64_VARIANT_URLSAFE);
  if (!head || static_cast<unsigned char>(head->front()) != kVersion) return std::nullopt;
  std::uint64_t seconds = 0;
  for (const char c : head->substr(1)) seconds = seconds << 8 | static_cast<unsigned char>(c);
  if (seconds > kLastSecond) return std::nullopt;
  const std::chrono::system_clock::time_point at{std::chrono::seconds(seconds)};
  return at <= now + kClockSkew ? std::optional(at) : std::nullopt;
}

}  // namespace syncline::vault
