#pragma once
// Access and refresh tokens: JSON Web Tokens (RFC 7519) in the compact form, signed with Ed25519 ("EdDSA",
// RFC 8037) only: the server fixes the algorithm, not the token.
//
//   header  {"alg":"EdDSA","typ":"JWT","kid":"..."}
//   claims  {"sub":"42","jti":"<UUID>","type":"access","iat":1772000000,"exp":1772000900,"sid":"7"}
//
// `sid` is the session, a device of the kind "refresh". Pure: whether a session is live is up to token_flow.h. Left out on
// purpose: other algorithms, encryption, and the claims iss and aud, because no other server knows our keys.
#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "handlers/base/ids.h"

namespace syncline::account {

/// A key that signs and verifies. Wiped on destruction.
class TokenKey {
 public:
  static constexpr std::size_t kSeedBytes = 32;

  /// `seed`: kSeedBytes random bytes.
  TokenKey(std::string kid, std::string_view seed);
  /// A new one, from the system's random source. Its kid is derived from its public part.
  static std::string NewSeed();
  static std::string KidOf(std::string_view seed);

  const std::string& kid() const { return kid_; }
  std::string Sign(std::string_view text) const;
  bool Verify(std::string_view text, std::string_view signature) const;

  TokenKey(const TokenKey&) = default;
  TokenKey& operator=(const TokenKey&) = default;
  ~TokenKey();

 private:
  std::string kid_;
  std::array<unsigned char, 32> public_{};
  std::array<unsigned char, 64> secret_{};
};

enum class TokenType { kAccess, kRefresh };

struct Claims {
  UserId user{};
  DeviceId session{};
  std::string id;  ///< jti
  TokenType type = TokenType::kAccess;
  std::chrono::sys_seconds issued_at{}, expires_at{};
};

/// A random UUID (version 4, RFC 9562), for jti.
std::string NewTokenId();

std::string MakeToken(const Claims& claims, const TokenKey& key);

/// No token of ours is longer.
inline constexpr std::size_t kMaxTokenBytes = 1024;
/// How far ahead of ours the clock of the machine that issued a token may be.
inline constexpr std::chrono::seconds kClockLeeway{30};

/// The claims of a valid token. Its expiry is checked separately, because time passes while the result is
/// cached. Throws Error Unauthenticated
///   "bad_token"       malformed, of another algorithm or key, a claim missing or malformed, issued in the future
///   "bad_token_type"  without a type that we know
Claims ReadToken(std::string_view token, std::span<const TokenKey> keys, std::chrono::sys_seconds now);
/// Throws Error Unauthenticated "token_expired", or "bad_token_type" if it is of another type.
void RequireToken(const Claims& claims, TokenType type, std::chrono::sys_seconds now);

}  // namespace syncline::account
