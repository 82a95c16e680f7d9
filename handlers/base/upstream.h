#pragma once
// One upstream, such as a public API, as all processes of all machines see it together: how many requests
// they may send, and whether it works. The state is in Redis, with the clock of Redis.
//
// - The budget: never more than `per_second` requests in any second nor `per_minute` in any minute, as the upstream
//   counts them. A request may arrive there at any time between its admission and its answer. So it counts from
//   admission until a second (a minute) after the answer. A process that dies in between leaves a request without an
//   answer; that one counts until its lease ends.
// - Background work has a narrower budget of its own, which also bounds how many of its requests are under
//   way. Interactive requests have priority, except for a share of each minute that is reserved for
//   background work while that waits.
// - The pause: after a 429, nobody sends anything for a while, longer with each 429 in a row; background work is
//   halved for ten minutes.
// - The breaker: `failures` failures in a row within a minute open it for `open`; then one request is admitted as a
//   probe, and its outcome decides.
//
// Without Redis: Error Busy "redis_unavailable", and nothing is sent. A Redis restarted without its data, or
// with older data from a snapshot or a replica, does not know the latest requests, so nothing is sent for a
// minute. To detect this, the run_id of Redis is stored with the data.
//
// Left out on purpose: a queue. Waiting callers of equal urgency are admitted in no particular order.
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "handlers/base/context.h"
#include "handlers/base/http_out.h"
#include "handlers/base/redis.h"
#include "handlers/base/waiter.h"

namespace syncline {

enum class Urgency { kInteractive, kBackground };

struct UpstreamRules {
  int per_second = 3;
  int per_minute = 60;
  int background_per_second = 1;
  int background_per_minute = 30;
  int background_reserve = 10;             ///< of per_minute, kept for background work while that waits
  int failures = 10;                       ///< in a row, within a minute
  std::chrono::milliseconds open{30'000};  ///< the breaker, until the probe
  std::chrono::milliseconds second{1'000}, minute{60'000};  ///< the windows; shorter ones are for tests
};

/// The retry rules of one caller, for either urgency.
struct CallRules {
  int attempts = 5;
  std::chrono::milliseconds first_pause{200};  ///< doubles with each attempt; see RetryPause
  std::chrono::milliseconds budget{10'000};    ///< for all attempts and waits together
  std::chrono::milliseconds turn{3'000};       ///< the longest wait for one admission
  int throttled = 0;                           ///< 429s that are waited out without counting as attempts
  HttpLimits limits{};
};
/// Five attempts. A person waits at most 10 s, and gets an error immediately while the upstream throttles.
CallRules RulesFor(Urgency urgency);

/// What an answer means for the upstream.
struct Verdict {
  enum class Kind {
    kAnswer,     ///< the upstream works, whatever the status; returned to the caller
    kFailed,     ///< the upstream fails: counts for the breaker; retried
    kThrottled,  ///< 429
  } kind = Kind::kAnswer;
  std::string reason{};                  ///< of the last two, for the log
  std::string code = "upstream_failed";  ///< of a failure: the Error's after the last attempt
  std::optional<std::chrono::milliseconds> retry_after{};  ///< of a 429
  bool is_long = false;                                    ///< a 429 that asks for ten times the usual pause
};

/// The pause before attempt `attempt` (2 or more), with full jitter: `random` (0 to 1) of first_pause * 2^(attempt-2).
std::chrono::milliseconds RetryPause(std::chrono::milliseconds first_pause, int attempt, double random);
/// The pause after the `count`-th 429 in a row (from 1): 5, 10, 20, 40, 60 s, ten times that if `is_long`; at least
/// what the upstream asks for, but an hour at most.
std::chrono::milliseconds ThrottlePause(int count, const Verdict& verdict);
/// The header Retry-After (RFC 9110, 10.2.3): seconds or a date. None if it is missing, in the past, or nonsense.
std::optional<std::chrono::milliseconds> ParseRetryAfter(std::string_view value,
                                                         std::chrono::system_clock::time_point now);

/// For handlers: sleeps, and throws Error Busy when the request's deadline passes, the process shuts down, or
/// the client has disconnected. `context` must outlive it.
Waiter WaitingFor(Context& context);

class Upstream {
 public:
  /// `name`: part of the keys in Redis, "jikan"; the same rules for all processes. With several outgoing
  /// addresses, each needs a separate name, because upstreams count per address.
  Upstream(Redis& redis, std::string name, UpstreamRules rules);

  struct Admission {
    enum class Kind { kGranted, kWait, kOpen } kind;
    std::string id;                     ///< of a granted one, for Report
    std::chrono::milliseconds wait{0};  ///< else: ask again after this time
  };
  /// Asks for admission once; never waits. `lease`: the request ends within this time in any case.
  /// `is_waiting`: the caller will ask again, so background work must wait behind it.
  Admission Ask(Urgency urgency, std::chrono::milliseconds lease, bool is_waiting);
  /// Call once for each granted admission, when the answer has arrived or the connection is closed. Does not
  /// throw if Redis is down: the lease then ends the request.
  void Report(const std::string& id, const Verdict& verdict);
  /// Returns a granted admission for which nothing was sent. Does not throw either.
  void Withdraw(const std::string& id);

  /// Sends a request: waits for its turn, retries as the rules say, reports every outcome. `judge` is asked about
  /// every answer. Returns the first answer that it calls one.
  ///
  /// Throws Error Upstream with the code of the verdict (or the last HttpError) after the last attempt, and when the
  /// next one cannot come in time; Busy "upstream_busy" with Retry-After while the upstream throttles, and, if nothing has
  /// failed before, while the breaker is open or no turn comes in time; Busy "redis_unavailable"; and what `wait` throws.
  HttpResponse Call(HttpClient& client, const HttpRequest& request, Urgency urgency, const CallRules& rules,
                    const std::function<Verdict(const HttpResponse&)>& judge, const Waiter& wait);

 private:
  struct Turn {
    std::string id;                               ///< of the admission
    std::chrono::steady_clock::time_point asked;  ///< its lease began after that
  };
  /// Throws Error Busy when the breaker is open or the turn would come after `until`.
  Turn WaitForTurn(Urgency urgency, std::chrono::milliseconds lease,
                   std::chrono::steady_clock::time_point until, const Waiter& wait);
  void Tell(const std::string& id, std::string_view outcome, const Verdict& verdict);
  Redis& redis_;
  std::string name_;
  UpstreamRules rules_;
};

}  // namespace syncline
