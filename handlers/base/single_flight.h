#pragma once
// Work that many want at the same time is done once: one caller of all processes does it, the others wait for its
// outcome. The state is in Redis.
//
// Error Busy "redis_unavailable" without Redis: nothing is done then, because everybody would do it.
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "handlers/base/redis.h"
#include "handlers/base/waiter.h"

namespace syncline {

struct FlightRules {
  std::chrono::milliseconds lease{
      30'000};  ///< after that the one who works is taken for dead, and another one works
  std::chrono::milliseconds patience{10'000};  ///< of those who wait
  int waiters = 16;  ///< in this process, for anything; half of the slots of the pool that waits
};

struct FlightOutcome {
  std::string text;  ///< short: what the others need to know, such as "found" or an error's code
  /// How long it is valid for those who ask later. At least a second, so that all who wait see it.
  std::chrono::milliseconds keep{2'000};
};

/// Returns the outcome of `work`, done here or elsewhere. `key` names the work and its object, "jikan:title:90001".
/// `work` should look first whether there is still something to do: the caller may have decided before an earlier
/// flight ended. It must not take longer than the lease; if it does, another caller works too, and its outcome is the
/// one that is kept. An exception of `work` goes to its caller; the next one who waits works then. So an outcome that
/// all should share, a failure above all, is returned as a text.
///
/// Throws Error Busy "upstream_busy" with Retry-After when the patience ends, and at once when too many wait already, so
/// that other requests find a slot; what `wait` throws.
std::string DoOnce(Redis& redis, std::string_view key, const FlightRules& rules,
                   const std::function<FlightOutcome()>& work, const Waiter& wait);

}  // namespace syncline
