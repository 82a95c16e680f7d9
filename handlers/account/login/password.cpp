#include "handlers/account/login/password.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "handlers/account/login/key_wire.h"
#include "handlers/account/login/login_flow.h"
#include "handlers/account/login/name_wire.h"
#include "handlers/base/base64.h"
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

// More would block other logins for seconds. The usual number is 600,000 or less.
constexpr int kMaxIterations = 5'000'000;
constexpr std::size_t kMaxPhcBytes = 64;  // of salt and hash, as that format has it

// None also if it is longer than a hash or a salt of that format.
std::optional<std::string> FromPhc(std::string_view text) {
  auto bytes = FromBase64(text, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
  return bytes && bytes->size() <= kMaxPhcBytes ? bytes : std::nullopt;
}

// What follows "i=" among parameters such as "i=600000,l=32".
int Iterations(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string_view one = parameters.substr(0, parameters.find(','));
    parameters.remove_prefix(std::min(one.size() + 1, parameters.size()));
    int count = 0;
    if (one.starts_with("i=") &&
        std::from_chars(one.data() + 2, one.data() + one.size(), count).ptr == one.data() + one.size()) {
      return count;
    }
  }
  return 0;
}

struct Pbkdf2 {
  const EVP_MD* digest;
  int iterations;
  std::string salt, hash;
};

std::optional<Pbkdf2> ParsePbkdf2(std::string_view text) {
  std::array<std::string_view, 4> parts;  // algorithm, parameters, salt, hash
  for (std::string_view& part : parts) {
    if (!text.starts_with('$')) return std::nullopt;
    text.remove_prefix(1);
    part = text.substr(0, text.find('$'));
    text.remove_prefix(part.size());
  }
  const EVP_MD* digest = parts[0] == "pbkdf2-sha256"   ? EVP_sha256()
                         : parts[0] == "pbkdf2-sha512" ? EVP_sha512()
                         : parts[0] == "pbkdf2"        ? EVP_sha1()
                                                       : nullptr;
  const int iterations = Iterations(parts[1]);
  const auto salt = FromPhc(parts[2]), hash = FromPhc(parts[3]);
  if (!text.empty() || digest == nullptr || iterations < 1 || iterations > kMaxIterations || !salt || !hash ||
      hash->empty()) {
    return std::nullopt;
  }
  return Pbkdf2{digest, iterations, *salt, *hash};
}

bool Pbkdf2Matches(const Pbkdf2& known, std::string_view password) {
  std::string computed(known.hash.size(), '\0');
  return PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                           reinterpret_cast<const unsigned char*>(known.salt.data()),
                           static_cast<int>(known.salt.size()), known.iterations, known.digest,
                           static_cast<int>(computed.size()),
                           reinterpret_cast<unsigned char*>(computed.data())) == 1 &&
         CRYPTO_memcmp(computed.data(), known.hash.data(), computed.size()) == 0;
}

bool Matches(const std::string& hash, std::string_view password) {
  if (const auto known = ParsePbkdf2(hash)) return Pbkdf2Matches(*known, password);
  if (hash.size() >= crypto_pwhash_argon2id_STRBYTES) return false;
  return crypto_pwhash_argon2id_str_verify(hash.c_str(), password.data(), password.size()) == 0;
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
  return Hash(NormalPassword(password));
}

PasswordMatch MatchPassword(const HashSlot&, const std::string& hash, std::string_view password) {
  StartSodium();
  const std::string normal = NormalPassword(password);
  if (Matches(hash, normal)) return PasswordMatch::kNormal;
  return normal != password && Matches(hash, password) ? PasswordMatch::kAsTyped : PasswordMatch::kNo;
}

bool IsForeignHash(const std::string& hash) {
  return ParsePbkdf2(hash).has_value();
}

const std::string& HashOfNobody(const HashSlot&) {
  // Computed here and not a constant, so that it always has the parameters, and the cost, of a real one.
  static const std::string hash = Hash(MakeKey(UserId{1}).text);
  return hash;
}

}  // namespace syncline::account
