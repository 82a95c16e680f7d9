#include "handlers/account/password.h"

#include <sodium.h>

#include <condition_variable>
#include <mutex>

#include "handlers/account/key_wire.h"
#include "handlers/account/login_flow.h"
#include "handlers/base/errors.h"
#include "handlers/base/seal.h"

namespace syncline::account {
namespace {

// libsodium's INTERACTIVE: 64 MiB and two passes, above OWASP's minimum for argon2id (19 MiB, two passes).
// More would let a few concurrent logins starve syncs on a small machine.
constexpr unsigned long long kPasses = crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE;
constexpr std::size_t kMemoryBytes = crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE;

std::mutex mutex;
std::condition_variable slot_freed;
int taken = 0, waiting = 0;

std::string Hash(std::string_view password) {
  StartSodium();
  char hash[crypto_pwhash_argon2id_STRBYTES];
  if (crypto_pwhash_argon2id_str(hash, password.data(), password.size(), kPasses, kMemoryBytes) != 0) {
    throw Busy("busy", "no memory to hash a password");
  }
  return hash;
}

}  // namespace

HashSlot::HashSlot(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex);
  if (taken >= kConcurrentHashes && waiting >= kWaitingHashes) {
    throw Busy("busy", "too many password checks wait");
  }
  ++waiting;
  const bool is_free = slot_freed.wait_for(lock, patience, [] { return taken < kConcurrentHashes; });
  --waiting;
  if (!is_free) throw Busy("busy", "too many password checks at once");
  ++taken;
}

HashSlot::~HashSlot() {
  {
    const std::lock_guard lock(mutex);
    --taken;
  }
  slot_freed.notify_one();
}

std::string HashPassword(const HashSlot&, std::string_view password) {
  return Hash(password);
}

bool PasswordMatches(const HashSlot&, const std::string& hash, std::string_view password) {
  StartSodium();
  if (hash.size() >= crypto_pwhash_argon2id_STRBYTES) return false;
  return crypto_pwhash_argon2id_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

const std::string& HashOfNobody(const HashSlot&) {
  // Computed here and not a constant, so that it always has the parameters, and the cost, of a real one.
  static const std::string hash = Hash(MakeKey(UserId{1}).text);
  return hash;
}

}  // namespace syncline::account
