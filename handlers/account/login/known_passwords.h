#pragma once
// Cache of account passwords that this process has recently found correct. Clients that send the password with
// every request (Basic, RFC 7617) would cost one argon2 hash each time. Holds no passwords: entries are found
// by a hash with a random key of this process. Entries alone reveal nothing; with all of its memory, passwords
// can be guessed at the speed of a plain hash. An entry dies with a change of the password or when the account is disabled: the caller must
// have seen its `password_hash` in the database within the last kKeyMemory (known_keys.h).
#include <array>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "handlers/base/context.h"

namespace syncline::account {

/// For how long after the last hash a password is known.
inline constexpr std::chrono::minutes kPasswordMemory{10};

/// Thread-safe.
class KnownPasswords {
 public:
  using Clock = std::chrono::steady_clock;
  struct Known {
    Identity identity;
    std::string password_hash;  ///< as stored in the database when the password was checked
    Clock::time_point hashed;
    Clock::time_point seen;  ///< when the database last had this hash, and the account was enabled
  };

  KnownPasswords();

  /// None if the password was not checked in the last kPasswordMemory.
  std::optional<Known> Find(std::string_view folded_name, std::string_view password, Clock::time_point now);
  void Remember(std::string_view folded_name, std::string_view password, Known known);
  void Forget(std::string_view folded_name, std::string_view password);

 private:
  std::string NameOf(std::string_view folded_name, std::string_view password) const;

  std::array<unsigned char, 32> key_;
  std::mutex mutex_;
  std::unordered_map<std::string, Known> known_;
};

}  // namespace syncline::account
