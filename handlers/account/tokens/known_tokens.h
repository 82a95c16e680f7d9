#pragma once
// Cache of tokens whose signature this process has verified: verifying takes 60 microseconds, a tenth of a small
// request, and a client sends the same token for a quarter of an hour. Says nothing about whether its session is live.
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "handlers/account/tokens/token_wire.h"

namespace syncline::account {

/// Thread-safe.
class KnownTokens {
 public:
  using Clock = std::chrono::steady_clock;
  /// A key that is taken from the ring stops verifying after this long.
  static constexpr std::chrono::seconds kMemory{10};

  std::optional<Claims> Find(std::string_view token, Clock::time_point now);
  void Remember(std::string_view token, const Claims& claims, Clock::time_point now);

 private:
  struct Known {
    Claims claims;
    Clock::time_point verified;
  };
  std::mutex mutex_;
  std::unordered_map<std::string, Known> tokens_;  // by hash: no token is kept
};

}  // namespace syncline::account
