#pragma once
// Runs work once that many callers want at the same time: one caller among all processes does it, the others
// wait for its outcome. The state is in Redis.
//
// Without Redis it throws Error Busy "redis_unavailable" and does nothing, because otherwise every caller
// would do the work.
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "handlers/base/redis.h"
#include "handlers/base/waiter.h"

namespace syncline {

struct FlightRules {
  std::chrono::milliseconds lease{
      30'000};  ///< after this the working caller counts as dead, and another one takes over
  std::chrono::milliseconds patience{10'000};  ///< how long the others wait
  int waiters = 16;  ///< in this process, for anything; half of the slots of the pool that waits
};

struct FlightOutcome {
  std::string text;  ///< a short result for all callers, such as "found" or an error's code
  /// How long it is valid for later callers. At least a second, so that all waiting callers see it.
  std::chrono::milliseconds keep{2'000};
};

/// Returns the outcome of `work`, done here or elsewhere. `key` names the work and its object, "jikan:title:90001".
/// `work` should look first whether there is still something to do: the caller may have decided before an earlier
/// flight ended. It must not take longer than the lease; if it does, another caller works too, and its outcome is the
/// one that is kept. An exception of `work` goes to its caller only, and the next waiting caller then does
/// the work. So return an outcome that all should share, especially a failure, as a text.
///
/// Throws Error Busy "upstream_busy" with Retry-After when the patience ends, and immediately if too many
/// callers wait already, so that slots stay free for other requests; and anything that `wait` throws.
std::string DoOnce(Redis& redis, std::string_view key, const FlightRules& rules,
                   const std::function<FlightOutcome()>& work, const Waiter& wait);

}  // namespace syncline
