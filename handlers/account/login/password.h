#pragma once
// Passwords: argon2id, and a limit on concurrent hashes. Hashes of other servers (PBKDF2 in the PHC string
// format, as Anki's official sync server uses them) are checked, but never created.
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace syncline::account {

/// Longer passwords are refused like wrong ones: nobody types them, and hashing them costs time.
inline constexpr std::size_t kMaxPasswordBytes = 1024;
/// For new passwords only.
inline constexpr std::size_t kMinPasswordBytes = 8;

/// Permission to compute one hash: 64 MiB and about 70 ms of a core. At most kConcurrentHashes (login_flow.h)
/// exist in a process. The constructor waits up to `patience`, then throws Error Busy "busy"; at once if
/// kWaitingHashes others wait. Never held inside a transaction.
class HashSlot {
 public:
  explicit HashSlot(std::chrono::milliseconds patience);
  ~HashSlot();
  HashSlot(const HashSlot&) = delete;
  HashSlot& operator=(const HashSlot&) = delete;
};

/// For users.password_hash, of the password's normal form (NormalPassword in name_wire.h); contains its own salt and
/// parameters. The slot proves that the caller has waited.
std::string HashPassword(const HashSlot& slot, std::string_view password);

/// kAsTyped: only the password as typed matches, not its normal form. This happens with hashes of other
/// servers and with those from before normalisation: replace such a hash.
enum class PasswordMatch { kNo, kNormal, kAsTyped };

/// `hash`: of HashPassword, or PBKDF2: "$pbkdf2-sha256$i=600000,l=32$salt$hash", also with sha1 ("pbkdf2")
/// and sha512. Costs a second hash if the normal form does not match and differs from the password as typed.
PasswordMatch MatchPassword(const HashSlot& slot, const std::string& hash, std::string_view password);

/// Whether it is a hash of another server that MatchPassword understands.
bool IsForeignHash(const std::string& hash);

/// A dummy hash that no known password matches. A login to an unknown account checks against it, so that it
/// takes as long as any other. The first call in a process computes it, so every login calls it, needed or
/// not.
const std::string& HashOfNobody(const HashSlot& slot);

}  // namespace syncline::account
