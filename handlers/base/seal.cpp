#include "handlers/base/seal.h"

#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "handlers/base/base64.h"
#include "handlers/base/errors.h"
#include "handlers/base/file_descriptor.h"

namespace syncline {
namespace {

// First byte of tokens and sealed texts: the format of the rest.
constexpr char kVersion = 1;
constexpr std::size_t kMaxFileBytes = 64 << 10;
constexpr std::size_t kTimeBytes = 8;
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(1 + kNonceBytes + kTagBytes == Secret::kSealOverhead);
static_assert(crypto_auth_hmacsha256_BYTES == Secret::kSignatureBytes);

Error Unusable(const std::string& why) {
  return {ErrorKind::kInternal, "internal", "secret_file: " + why};
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

// Wiped on destruction.
struct WipedText {
  std::string text;
  ~WipedText() { sodium_memzero(text.data(), text.size()); }
};

// Seconds since 1970 as eight bytes, big-endian.
std::string TimeBytes(std::chrono::system_clock::time_point time) {
  const auto seconds =
      static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(seconds >> shift);
  return bytes;
}

std::chrono::sys_seconds TimeOf(std::string_view bytes) {
  std::uint64_t seconds = 0;
  for (const char c : bytes) seconds = seconds << 8 | static_cast<unsigned char>(c);
  return std::chrono::sys_seconds(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
}

}  // namespace

void StartSodium() {
  if (sodium_init() < 0)
    throw Error(ErrorKind::kInternal, "internal", "libsodium found no source of random bytes");
}

bool IsSameInConstantTime(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

Secret::Key::~Key() {
  sodium_memzero(bytes.data(), bytes.size());
}

Secret Secret::Load(const std::string& path) {
  if (path.empty()) throw Unusable("is not set");
  // Does not block if the path is a pipe.
  const FileDescriptor file(path.c_str(), O_RDONLY | O_NOCTTY | O_NONBLOCK);
  if (!file.IsOpen()) throw Unusable(path + ": " + std::strerror(errno));
  struct stat status {};
  if (fstat(file.get(), &status) != 0) throw Unusable(path + ": " + std::strerror(errno));
  if (!S_ISREG(status.st_mode)) throw Unusable(path + " is not a regular file");
  if ((status.st_mode & S_IRWXO) != 0) throw Unusable(path + " is open to everybody: chmod o= " + path);
  WipedText secret;
  secret.text.resize(kMaxFileBytes);
  std::size_t size = 0;
  for (;;) {
    const ssize_t got = read(file.get(), secret.text.data() + size, secret.text.size() - size);
    if (got < 0) throw Unusable(path + ": " + std::strerror(errno));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size == kMaxFileBytes) throw Unusable(path + " is too long");
  return FromText(std::string_view(secret.text).substr(0, size));
}

Secret Secret::FromText(std::string_view text) {
  StartSodium();
  Secret secret;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const bool is_printable =
        std::all_of(line.begin(), line.end(), [](char c) { return c > ' ' && c <= '~'; });
    if (line.size() < kMinBytes || !is_printable)
      throw Unusable("every line must have 32 or more printable characters; openssl rand -hex 32 makes one");
    if (secret.roots_.size() == kMaxSecrets) throw Unusable("too many lines");
    // HKDF-Extract, whose salt is the key of the HMAC.
    const Key no_salt;
    secret.roots_.push_back(Hmac(no_salt, line));
  }
  if (secret.roots_.empty()) throw Unusable("is empty; openssl rand -hex 32 makes a secret");
  return secret;
}

Secret::Key Secret::Hmac(const Key& key, std::string_view bytes) {
  Key mac;
  crypto_auth_hmacsha256(mac.bytes.data(), Bytes(bytes), bytes.size(), key.bytes.data());
  return mac;
}

// HKDF-Expand for one block, which is all that a key needs.
Secret::Key Secret::Derived(const Key& root, std::string_view use, std::string_view purpose) {
  return Hmac(root, std::string("syncline:").append(use).append(":").append(purpose).append("\x01"));
}

std::string Secret::Sign(std::string_view purpose, std::string_view bytes) const {
  const Key mac = Hmac(Derived(roots_.front(), "sign", purpose), bytes);
  return {reinterpret_cast<const char*>(mac.bytes.data()), mac.bytes.size()};
}

bool Secret::Verify(std::string_view purpose, std::string_view bytes, std::string_view signature) const {
  return std::any_of(roots_.begin(), roots_.end(), [&](const Key& root) {
    const Key mac = Hmac(Derived(root, "sign", purpose), bytes);
    return IsSameInConstantTime({reinterpret_cast<const char*>(mac.bytes.data()), mac.bytes.size()},
                                signature);
  });
}

std::string Secret::MakeToken(std::string_view purpose, std::string_view payload,
                              std::chrono::system_clock::time_point expires_at) const {
  std::string bytes(1, kVersion);
  bytes.append(TimeBytes(expires_at)).append(payload);
  bytes += Sign(purpose, bytes);
  return ToBase64(bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

std::optional<std::string> Secret::ReadToken(std::string_view purpose, std::string_view token,
                                             std::chrono::system_clock::time_point now) const {
  const auto bytes = FromBase64(token, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  if (!bytes || bytes->size() < 1 + kTimeBytes + kSignatureBytes || bytes->front() != kVersion)
    return std::nullopt;
  const std::string_view all = *bytes;
  const std::string_view content = all.substr(0, all.size() - kSignatureBytes);
  if (!Verify(purpose, content, all.substr(content.size()))) return std::nullopt;
  if (now >= TimeOf(content.substr(1, kTimeBytes))) return std::nullopt;
  return std::string(content.substr(1 + kTimeBytes));
}

std::string Secret::Seal(std::string_view purpose, std::string_view plaintext,
                         std::string_view bound_to) const {
  const Key key = Derived(roots_.front(), "seal", purpose);
  std::string sealed(plaintext.size() + kSealOverhead, '\0');
  sealed.front() = kVersion;
  unsigned char* const nonce = Bytes(sealed) + 1;
  randombytes_buf(nonce, kNonceBytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + kNonceBytes, nullptr, Bytes(plaintext), plaintext.size(),
                                             Bytes(bound_to), bound_to.size(), nullptr, nonce,
                                             key.bytes.data());
  return sealed;
}

std::optional<std::string> Secret::Open(std::string_view purpose, std::string_view sealed,
                                        std::string_view bound_to) const {
  if (sealed.size() < kSealOverhead || sealed.front() != kVersion) return std::nullopt;
  const unsigned char* const nonce = Bytes(sealed) + 1;
  std::string plaintext(sealed.size() - kSealOverhead, '\0');
  for (const Key& root : roots_) {
    const Key key = Derived(root, "seal", purpose);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(Bytes(plaintext), nullptr, nullptr, nonce + kNonceBytes,
                                                   sealed.size() - 1 - kNonceBytes, Bytes(bound_to),
                                                   bound_to.size(), nonce, key.bytes.data()) == 0)
      return plaintext;
  }
  return std::nullopt;
}

}  // namespace syncline
