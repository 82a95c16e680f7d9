#pragma once
// Keys that this process has just found to be live. A sync is a handful of requests within milliseconds, and
// each would ask for the same key. The only memory of a process from one request to the next: nothing depends
// on it but speed, and what it holds is wrong for kKeyMemory at most.
#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "handlers/base/context.h"

namespace syncline::account {

/// How long a revoked key, or one of a disabled account, may still be taken for a live one.
inline constexpr std::chrono::milliseconds kKeyMemory{500};

/// Safe for all threads of a process.
class KnownKeys {
 public:
  using Clock = std::chrono::steady_clock;

  std::optional<Identity> Find(std::string_view key, std::string_view kind, Clock::time_point now);
  /// `checked`: when the database was asked, before it answered.
  void Remember(std::string_view key, std::string_view kind, Identity identity, Clock::time_point checked);

 private:
  struct Known {
    Identity identity;
    Clock::time_point checked;
  };
  std::mutex mutex_;
  std::unordered_map<std::string, Known> keys_;  // by the hash of key and kind: no copy of a key is kept
};

}  // namespace syncline::account
