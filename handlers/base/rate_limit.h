#pragma once
// Rate limits, counted in Redis for all processes and machines together.
//
// GCRA, a leaky bucket that is one number: `count` at once, then one every `per` / `count`; never more than
// twice `count` in any `per`. One atomic round trip; the clock is that of Redis. If Redis is down, Allow
// throws, and the caller decides whether to allow. Left out on purpose: limits that must survive a restart of
// Redis, which belong in PostgreSQL (account/login/login_failure_store.h).
#include <chrono>
#include <string_view>

#include "handlers/base/redis.h"

namespace syncline {

struct RateLimit {
  int count;                      ///< 1 or more
  std::chrono::milliseconds per;  ///< 1 ms to 1,000 days
};

struct RateAnswer {
  bool is_allowed = true;
  std::chrono::milliseconds retry_after{0};  ///< until it would be allowed, if no other call comes first
  /// For the header Retry-After: at least 1.
  std::chrono::seconds RetryAfterSeconds() const;
};

/// Counts one use of `key`, unless it is refused. `key` names the action and the caller, "login:<address>";
/// all calls with one key must give the same limit. Throws Error Busy "redis_unavailable".
RateAnswer Allow(Redis& redis, std::string_view key, RateLimit limit);

/// What a limit does while Redis is down: refuse (Error Busy "redis_unavailable"), or admit without counting.
enum class WithoutRedis { kRefuse, kAllow };

/// Error TooMany "too_many_requests" with Retry-After unless Allow.
void RequireRate(Redis& redis, std::string_view key, RateLimit limit, WithoutRedis without);

}  // namespace syncline
