#pragma once
// Passwords: argon2id, and the bound on how many are worked on at once.
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace syncline::account {

/// Longer ones are refused like wrong ones: hashing their bytes would cost, and nobody types them.
inline constexpr std::size_t kMaxPasswordBytes = 1024;
/// For new passwords only.
inline constexpr std::size_t kMinPasswordBytes = 8;

/// The right to one hash: 64 MiB and some 70 ms of a core. At most kConcurrentHashes (login.h) exist in a
/// process; the constructor waits up to `patience`, then throws Error Busy "busy". Never held inside a
/// transaction.
class HashSlot {
 public:
  explicit HashSlot(std::chrono::milliseconds patience);
  ~HashSlot();
  HashSlot(const HashSlot&) = delete;
  HashSlot& operator=(const HashSlot&) = delete;
};

/// As stored in users.password_hash, with its own salt and limits inside. The slot says that the caller has
/// waited.
std::string HashPassword(const HashSlot& slot, std::string_view password);

bool PasswordMatches(const HashSlot& slot, const std::string& hash, std::string_view password);

/// The hash of a password nobody has: a login of an unknown account checks against it, so that it takes as
/// long as any other. The first call in a process makes it, so every login asks for it, needed or not.
const std::string& HashOfNobody(const HashSlot& slot);

}  // namespace syncline::account
