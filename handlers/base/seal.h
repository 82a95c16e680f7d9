#pragma once
// Signs and encrypts with the secret of the installation: the one place for HMAC-SHA-256, authenticated
// encryption and comparison in constant time. Passwords are elsewhere (account/login/password.h), and keys that we
// issue are random and stored as hashes (account/login/key_wire.h).
//
// The secret is a text file: the first line is the current secret, further lines are older ones. New things
// are made with the first line; things made with any line are accepted. To replace the secret, add a new line
// at the top. Deleting an old line makes everything sealed with it unreadable.
//
// Every use has a purpose, a fixed text such as "anki.page-token"; its key is derived by HKDF (RFC 5869) from
// the secret, the purpose and the kind of use, so what was made for one purpose is invalid for another.
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace syncline {

/// Must be called before anything else of libsodium that needs random bytes; cheap when repeated. Throws Error
/// Internal if there are none.
void StartSodium();

/// Takes a time that depends on the lengths only.
bool IsSameInConstantTime(std::string_view a, std::string_view b);

/// Thread-safe. Every copy wipes its keys on destruction.
class Secret {
 public:
  static constexpr std::size_t kMinBytes = 32;  ///< of a line; `openssl rand -hex 32` makes 64
  static constexpr std::size_t kMaxSecrets = 8;
  static constexpr std::size_t kSignatureBytes = 32;

  /// `path`: Config::secret_file. Throws Error Internal with a text for the operator if it is empty, not a
  /// regular file, accessible to everybody, or not 1 to kMaxSecrets lines of kMinBytes or more printable
  /// characters.
  static Secret Load(const std::string& path);
  /// From the text of such a file. Throws as Load.
  static Secret FromText(std::string_view text);

  /// HMAC-SHA-256, kSignatureBytes.
  std::string Sign(std::string_view purpose, std::string_view bytes) const;
  bool Verify(std::string_view purpose, std::string_view bytes, std::string_view signature) const;

  /// A token for URLs (base64url) that holds `payload`, unencrypted, and the time when it expires.
  std::string MakeToken(std::string_view purpose, std::string_view payload,
                        std::chrono::system_clock::time_point expires_at) const;
  /// The payload. None: expired, modified, or of another purpose or secret.
  std::optional<std::string> ReadToken(std::string_view purpose, std::string_view token,
                                       std::chrono::system_clock::time_point now) const;

  /// XChaCha20-Poly1305 with a random nonce: kSealOverhead bytes longer than the plaintext. `bound_to` is not
  /// stored in it, but must be the same in Open: the id of the row that it belongs to.
  std::string Seal(std::string_view purpose, std::string_view plaintext, std::string_view bound_to) const;
  /// None: modified, or of another purpose, secret or row.
  std::optional<std::string> Open(std::string_view purpose, std::string_view sealed,
                                  std::string_view bound_to) const;
  static constexpr std::size_t kSealOverhead = 1 + 24 + 16;  ///< version, nonce, tag

 private:
  // Wiped on destruction.
  struct Key {
    std::array<unsigned char, 32> bytes{};
    Key() = default;
    Key(const Key&) = default;
    Key& operator=(const Key&) = default;
    ~Key();
  };
  Secret() = default;
  static Key Hmac(const Key& key, std::string_view bytes);
  static Key Derived(const Key& root, std::string_view use, std::string_view purpose);

  std::vector<Key> roots_;  // of HKDF; the newest secret first
};

}  // namespace syncline
