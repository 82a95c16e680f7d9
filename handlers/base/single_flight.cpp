#include "handlers/base/single_flight.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <random>

#include "handlers/base/errors.h"
#include "handlers/base/log.h"

namespace syncline {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kFirstLook{20}, kLongestLook{200};

std::atomic<int> waiters{0};

Error StillUnderWay(std::string_view key) {
  return Error(ErrorKind::kBusy, "upstream_busy", "still under way elsewhere: " + std::string(key))
      .RetryAfter(std::chrono::seconds(2));
}

// The place of one waiting caller.
class WaitersPlace {
 public:
  WaitersPlace(int most, std::string_view key) {
    if (waiters.fetch_add(1) < most) return;
    waiters.fetch_sub(1);
    throw StillUnderWay(key);
  }
  WaitersPlace(const WaitersPlace&) = delete;
  WaitersPlace& operator=(const WaitersPlace&) = delete;
  ~WaitersPlace() { waiters.fetch_sub(1); }
};

// "=" and the outcome; "+": the lock is yours; "-": somebody else has it.
constexpr std::string_view kTake = R"(
local outcome = redis.call('GET', KEYS[2])
if outcome then return '=' .. outcome end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return '+' end
return '-'
)";

// Does not release another caller's lock, in case this one's lease has ended.
constexpr std::string_view kEnd = R"(
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
if ARGV[3] ~= '0' then redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) end
return 1
)";

// The lock of this caller.
class Lock {
 public:
  Lock(Redis& redis, const std::string& lock, const std::string& outcome, const std::string& token)
      : redis_(redis), lock_(lock), outcome_(outcome), token_(token) {}
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  /// After an exception, without an outcome.
  ~Lock() {
    if (!is_over_) End({"", milliseconds(0)});
  }
  // Without Redis the others wait until the lease ends.
  void End(const FlightOutcome& outcome) noexcept {
    is_over_ = true;
    try {
      redis_.Command(
          {"EVAL", kEnd, "2", lock_, outcome_, token_, outcome.text, std::to_string(outcome.keep.count())});
    } catch (const std::exception& error) {
      LogLine(LogLevel::kWarn)
          .Add("event", "flight_unreported")
          .Add("key", lock_)
          .Add("why", error.what())
          .Write();
    }
  }

 private:
  Redis& redis_;
  const std::string &lock_, &outcome_, &token_;
  bool is_over_ = false;
};

}  // namespace

std::string DoOnce(Redis& redis, std::string_view key, const FlightRules& rules,
                   const std::function<FlightOutcome()>& work, const Waiter& wait) {
  std::random_device random;
  const std::string name = "syncline:flight:" + std::string(key);
  const std::string lock = name + ":lock", outcome = name + ":outcome",
                    token = std::to_string(random()) + ":" + std::to_string(random());
  const auto end = Clock::now() + rules.patience;
  std::optional<WaitersPlace> place;
  for (milliseconds look = kFirstLook;; look = std::min(look * 2, kLongestLook)) {
    const RedisReply state =
        redis.Command({"EVAL", kTake, "2", lock, outcome, token, std::to_string(rules.lease.count())});
    if (state.text.starts_with('=')) return state.text.substr(1);
    if (state.text.starts_with('+')) {
      place.reset();
      Lock held(redis, lock, outcome, token);
      FlightOutcome done = work();
      held.End(done);
      return std::move(done.text);
    }
    if (Clock::now() + look > end) throw StillUnderWay(key);
    if (!place) place.emplace(rules.waiters, key);
    // Jitter: not all callers at the same moment.
    wait(look + milliseconds(std::uniform_int_distribution<std::int64_t>(0, look.count() / 4)(random)));
  }
}

}  // namespace syncline
