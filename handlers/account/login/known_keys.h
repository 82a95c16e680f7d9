#pragma once
// Cache of keys that this process has recently found live. A sync is a handful of requests within
// milliseconds, all with the same key. Such caches (known_passwords.h, tokens/known_tokens.h, tokens/key_ring.h)
// are the only state a process keeps between requests; this one only saves time, and an entry is stale for kKeyMemory at most.
#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "handlers/base/context.h"

namespace syncline::account {

/// How long a revoked key, or a key of a disabled account, may still be accepted.
inline constexpr std::chrono::milliseconds kKeyMemory{500};

/// Thread-safe.
class KnownKeys {
 public:
  using Clock = std::chrono::steady_clock;

  std::optional<Identity> Find(std::string_view key, std::string_view kind, Clock::time_point now);
  /// `checked`: the time before the database was asked.
  void Remember(std::string_view key, std::string_view kind, Identity identity, Clock::time_point checked);

 private:
  struct Known {
    Identity identity;
    Clock::time_point checked;
  };
  std::mutex mutex_;
  std::unordered_map<std::string, Known> keys_;  // by the hash of kind and key: no key is kept in clear
};

}  // namespace syncline::account
