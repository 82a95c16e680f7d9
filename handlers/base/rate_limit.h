#pragma once
// How often something may happen, counted in Redis for all processes and machines together.
//
// GCRA, a leaky bucket that is one number: `count` at once, then one every `per` / `count`; never more than
// twice `count` in any `per`. One round trip and atomic; the clock is that of Redis. When Redis is away, Allow
// throws, and whoever calls it says whether that means yes or no. Left out on purpose: limits that must survive
// a restart of Redis, which belong in PostgreSQL (account/login_failure_store.h).
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
  std::chrono::milliseconds retry_after{0};  ///< when it would be allowed, if nobody else comes first
  /// As the header Retry-After wants it: at least 1.
  std::chrono::seconds RetryAfterSeconds() const;
};

/// Counts one use of `key`, unless it is refused. `key` names what is limited and for whom, "login:<address>";
/// everybody who uses one key gives it the same limit. Error Busy "redis_unavailable".
RateAnswer Allow(Redis& redis, std::string_view key, RateLimit limit);

}  // namespace syncline
