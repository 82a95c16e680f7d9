#include "handlers/base/upstream.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <exception>
#include <random>
#include <thread>

#include "handlers/base/conditional.h"
#include "handlers/base/log.h"

namespace syncline {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kThrottlePauses[] = {milliseconds(5'000), milliseconds(10'000), milliseconds(20'000),
                                            milliseconds(40'000), milliseconds(60'000)};
constexpr int kLongThrottle = 10;
constexpr milliseconds kLongestPause{3'600'000};
// From the deadline of a request to the end of its lease: time to close the connection.
constexpr milliseconds kLeaseMargin{2'000};
// With less time a request would only fail and count as a failure of the upstream.
constexpr milliseconds kLeastTime{500};
constexpr const char* kBusyCode = "upstream_busy";

// Keys, none of which expires, so that a Redis that is short of memory drops none of them. `sent`: the requests of the
// last minute, each with the time until which it may arrive: that of its answer, or, while there is none, the end of
// its lease. `background`: those of background work. `failures`: those in a row. `state`, a hash: `pause` and
// `throttled` (how many in a row), `slow`, `waiting` (somebody interactive waits), `hungry` (background work waits), `open`
// (the breaker, until then); `tripped`: it has opened, and no success has closed it; `probe`: the id of the probe, and
// `probing`, the end of its lease. All times are milliseconds, by the clock of Redis.
//
// `known`: the run_id of the Redis whose data is complete. `seen`: a run_id and since when; its data may not be.
constexpr std::array kKeys = {"sent", "background", "failures", "state"};
constexpr const char* kKnownKey = "syncline:upstream:known";
constexpr const char* kSeenKey = "syncline:upstream:seen";

// Arguments: id, urgency, lease, second, minute, per second, per minute, the same two of background work, is
// waiting, what is kept for background work. Returns "granted", "wait <ms>" or "open <ms>".
//
// A request that may still arrive at `at` is out of a window when now > at + window. While it is under way, `at` lies
// in the future; the earliest time that a place may become free is then a window from now.
constexpr std::string_view kAsk = R"(
local sent, background, failures, state, known, seen = unpack(KEYS)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local id, urgency, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
local second, minute = tonumber(ARGV[4]), tonumber(ARGV[5])
local function text(number) return string.format('%.0f', number) end

-- How long a time of the state is ahead; an hour at most, in case the clock was set back.
local function ahead(field)
  local at = redis.call('HGET', state, field)
  return at and math.min(tonumber(at) - now, 3600000) or 0
end
local function wait(time)
  time = math.max(1, time)
  if ARGV[10] == '1' then
    redis.call('HSET', state, urgency == 'interactive' and 'waiting' or 'hungry', text(now + time + 500))
  end
  return 'wait ' .. text(time)
end

local server = redis.call('INFO', 'server')
local run = string.match(server, 'run_id:(%x+)')
local complete = redis.call('GET', known)
if complete ~= run then
  -- Without any data this is a new installation, or Redis has lost all; then it has just started.
  local up = tonumber(string.match(server, 'uptime_in_seconds:(%d+)')) * 1000
  if complete then
    local id, since = string.match(redis.call('GET', seen) or '', '(%x+) (%d+)')
    if id ~= run then
      since = text(now)
      redis.call('SET', seen, run .. ' ' .. since)
    end
    up = math.max(0, now - since)
  end
  if up < minute + 1000 then return wait(minute + 1000 - up) end
  redis.call('SET', known, run)
  redis.call('DEL', seen)
end
local paused = ahead('pause')
if paused > 0 then return wait(paused) end
local opened = ahead('open')
if opened > 0 then return 'open ' .. text(opened) end
local is_probe = redis.call('HEXISTS', state, 'tripped') == 1
if is_probe then
  local probing = ahead('probing')
  if probing > 0 then return 'open ' .. text(math.min(probing, 1000)) end
end

local function wait_of(key, count, window)
  local one = redis.call('ZREVRANGE', key, count - 1, count - 1, 'WITHSCORES')
  if not one[2] then return 0 end
  return math.min(tonumber(one[2]), now) + window + 1 - now
end
local function add(key)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', '(' .. text(now - minute))
  redis.call('ZADD', key, text(now + lease), id)
end

local all_per_minute, background_per_minute = tonumber(ARGV[7]), tonumber(ARGV[9])
if ahead('slow') > 0 then background_per_minute = math.max(1, math.floor(background_per_minute / 2)) end
-- What background work has not had of its share in this minute.
local share = math.min(tonumber(ARGV[11]), background_per_minute)
share = math.max(0, share - redis.call('ZCOUNT', background, text(now - minute), '+inf'))
if urgency == 'interactive' and ahead('hungry') > 0 then all_per_minute = math.max(1, all_per_minute - share) end
local time_to_wait = math.max(wait_of(sent, tonumber(ARGV[6]), second), wait_of(sent, all_per_minute, minute))
if urgency == 'background' then
  time_to_wait = math.max(time_to_wait, wait_of(background, tonumber(ARGV[8]), second),
                          wait_of(background, background_per_minute, minute))
  if share == 0 and ahead('waiting') > 0 then time_to_wait = math.max(time_to_wait, 200) end
end
if time_to_wait > 0 then return wait(time_to_wait) end

add(sent)
if urgency == 'background' then add(background) end
if is_probe then redis.call('HSET', state, 'probe', id, 'probing', text(now + lease)) end
return 'granted'
)";

// Arguments: id, urgency, outcome, minute, failures that open the breaker, for how long, then the pauses after one 429,
// after two in a row, and so on.
constexpr std::string_view kReport = R"(
local sent, background, failures, state = unpack(KEYS)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local id, outcome, minute = ARGV[1], ARGV[3], tonumber(ARGV[4])
local function text(number) return string.format('%.0f', number) end

local function arrived(key)
  if outcome == 'unsent' then
    redis.call('ZREM', key, id)
  else
    redis.call('ZADD', key, text(now), id)
  end
end
arrived(sent)
if ARGV[2] == 'background' then arrived(background) end

local was_probe = redis.call('HGET', state, 'probe') == id
if was_probe then redis.call('HDEL', state, 'probe', 'probing') end
if outcome == 'answer' then
  redis.call('DEL', failures)
  redis.call('HDEL', state, 'throttled', 'open', 'tripped', 'probe', 'probing')
elseif outcome == 'failed' then
  if redis.call('HEXISTS', state, 'tripped') == 1 then
    if was_probe then redis.call('HSET', state, 'open', text(now + ARGV[6])) end
  else
    redis.call('ZADD', failures, text(now), id)
    redis.call('ZREMRANGEBYSCORE', failures, '-inf', '(' .. text(now - minute))
    if redis.call('ZCARD', failures) >= tonumber(ARGV[5]) then
      redis.call('DEL', failures)
      redis.call('HSET', state, 'tripped', 1, 'open', text(now + ARGV[6]))
    end
  end
elseif outcome == 'throttled' then
  local pause = tonumber(redis.call('HGET', state, 'pause') or 0)
  local count = tonumber(redis.call('HGET', state, 'throttled') or 0)
  -- Several that were under way together are throttled once.
  if pause <= now or count == 0 then count = redis.call('HINCRBY', state, 'throttled', 1) end
  local longer = now + ARGV[6 + math.min(count, #ARGV - 6)]
  if longer > pause then redis.call('HSET', state, 'pause', text(longer)) end
  redis.call('HSET', state, 'slow', text(now + 600000))
end
return 'ok'
)";

const char* NameOf(Urgency urgency) {
  return urgency == Urgency::kInteractive ? "interactive" : "background";
}

std::mt19937_64& Random() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  return random;
}

// Unique over all processes, and over forks of one. The urgency is part of it, so that Report knows it.
std::string NewId(Urgency urgency) {
  std::random_device random;
  return std::string(NameOf(urgency)) + ":" + std::to_string(random()) + ":" + std::to_string(random());
}

std::array<std::string, kKeys.size()> KeysOf(const std::string& upstream) {
  std::array<std::string, kKeys.size()> keys;
  std::transform(kKeys.begin(), kKeys.end(), keys.begin(),
                 [&](const char* part) { return "syncline:upstream:" + upstream + ":" + part; });
  return keys;
}

Error UpstreamBusy(const std::string& why, milliseconds retry_after) {
  const auto seconds =
      std::max(std::chrono::seconds(1), std::chrono::ceil<std::chrono::seconds>(retry_after));
  return Error(ErrorKind::kBusy, kBusyCode, why).RetryAfter(seconds);
}

}  // namespace

CallRules RulesFor(Urgency urgency) {
  CallRules rules;
  if (urgency == Urgency::kInteractive) {
    rules.limits.connect = milliseconds(2'000);
    rules.limits.idle = rules.limits.total = milliseconds(6'000);
    return rules;
  }
  rules.first_pause = milliseconds(2'000);
  rules.budget = milliseconds(120'000);
  rules.turn = milliseconds(60'000);
  rules.throttled = 2;
  rules.limits.connect = milliseconds(3'000);
  rules.limits.idle = rules.limits.total = milliseconds(20'000);
  return rules;
}

milliseconds RetryPause(milliseconds first_pause, int attempt, double random) {
  constexpr int kMostDoublings = 20;
  const double most =
      std::ldexp(static_cast<double>(first_pause.count()), std::clamp(attempt - 2, 0, kMostDoublings));
  return milliseconds(static_cast<std::int64_t>(most * std::clamp(random, 0.0, 1.0)));
}

milliseconds ThrottlePause(int count, const Verdict& verdict) {
  const int last = static_cast<int>(std::size(kThrottlePauses)) - 1;
  const milliseconds usual =
      kThrottlePauses[std::clamp(count - 1, 0, last)] * (verdict.is_long ? kLongThrottle : 1);
  return std::min(std::max(usual, verdict.retry_after.value_or(milliseconds(0))), kLongestPause);
}

std::optional<milliseconds> ParseRetryAfter(std::string_view value,
                                            std::chrono::system_clock::time_point now) {
  // Beyond that a pause is an hour anyway, and larger numbers would overflow.
  constexpr std::chrono::seconds kMost{1'000'000};
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error != std::errc() || end != value.data() + value.size() || value.empty()) {
    const auto date = ParseHttpDate(value, now);
    if (!date) return std::nullopt;
    seconds = (*date - std::chrono::floor<std::chrono::seconds>(now)).count();
  }
  if (seconds <= 0) return std::nullopt;
  return std::min(std::chrono::seconds(seconds), kMost);
}

Waiter WaitingFor(Context& context) {
  return [&context](milliseconds time) {
    constexpr milliseconds kSlice{100};
    const auto end = Clock::now() + time;
    for (;;) {
      const auto now = Clock::now();
      if (context.deadline() && now >= *context.deadline())
        throw UpstreamBusy("the request's deadline", milliseconds(2'000));
      if (context.IsClientGone()) throw ClientGone("left while an upstream was asked");
      if (now >= end) return;
      std::this_thread::sleep_for(std::min<Clock::duration>(end - now, kSlice));
    }
  };
}

Upstream::Upstream(Redis& redis, std::string name, UpstreamRules rules)
    : redis_(redis), name_(std::move(name)), rules_(rules) {}

Upstream::Admission Upstream::Ask(Urgency urgency, milliseconds lease, bool is_waiting) {
  const std::string id = NewId(urgency);
  const auto keys = KeysOf(name_);
  const auto text = [](auto number) { return std::to_string(number); };
  const std::string second = text(rules_.second.count()), minute = text(rules_.minute.count());
  const std::string per_second = text(rules_.per_second), per_minute = text(rules_.per_minute);
  const std::string of_background = text(rules_.background_per_second);
  const std::string of_background_minute = text(rules_.background_per_minute);
  const std::string reserve = text(rules_.background_reserve);
  const std::string end_of_lease = text(lease.count());
  const std::string_view waits = is_waiting ? "1" : "0";
  const RedisReply reply =
      redis_.Command({"EVAL",  kAsk,      "6",        keys[0],    keys[1],         keys[2],
                      keys[3], kKnownKey, kSeenKey,   id,         NameOf(urgency), end_of_lease,
                      second,  minute,    per_second, per_minute, of_background,   of_background_minute,
                      waits,   reserve});
  const std::string& answer = reply.text;
  if (answer == "granted") return {Admission::Kind::kGranted, id};
  const auto blank = answer.find(' ');
  std::int64_t wait = 0;
  std::from_chars(answer.data() + std::min(blank + 1, answer.size()), answer.data() + answer.size(), wait);
  return {answer.starts_with("open") ? Admission::Kind::kOpen : Admission::Kind::kWait, "",
          milliseconds(wait)};
}

void Upstream::Tell(const std::string& id, std::string_view outcome, const Verdict& verdict) {
  const auto keys = KeysOf(name_);
  const std::string urgency = id.substr(0, id.find(':'));
  const std::string minute = std::to_string(rules_.minute.count());
  const std::string failures = std::to_string(rules_.failures), open = std::to_string(rules_.open.count());
  std::array<std::string, std::size(kThrottlePauses)> pauses;
  for (std::size_t i = 0; i < pauses.size(); ++i)
    pauses[i] = std::to_string(ThrottlePause(static_cast<int>(i) + 1, verdict).count());
  try {
    redis_.Command({"EVAL", kReport, "4", keys[0], keys[1], keys[2], keys[3], id, urgency, outcome, minute,
                    failures, open, pauses[0], pauses[1], pauses[2], pauses[3], pauses[4]});
  } catch (const Error& error) {
    LogLine(LogLevel::kWarn)
        .Add("event", "upstream_unreported")
        .Add("upstream", name_)
        .Add("why", error.what())
        .Write();
  }
}

void Upstream::Report(const std::string& id, const Verdict& verdict) {
  switch (verdict.kind) {
    case Verdict::Kind::kAnswer:
      return Tell(id, "answer", verdict);
    case Verdict::Kind::kFailed:
      return Tell(id, "failed", verdict);
    case Verdict::Kind::kThrottled:
      return Tell(id, "throttled", verdict);
  }
}

void Upstream::Withdraw(const std::string& id) {
  Tell(id, "unsent", {});
}

Upstream::Turn Upstream::WaitForTurn(Urgency urgency, milliseconds lease, Clock::time_point until,
                                     const Waiter& wait) {
  for (;;) {
    const auto asked = Clock::now();
    const Admission admission = Ask(urgency, lease, true);
    if (admission.kind == Admission::Kind::kGranted) return {admission.id, asked};
    if (admission.kind == Admission::Kind::kOpen)
      throw UpstreamBusy(name_ + " fails: its breaker is open", admission.wait);
    if (Clock::now() + admission.wait > until)
      throw UpstreamBusy(name_ + ": no turn within the time allowed", admission.wait);
    // Spreads callers that got the same time.
    wait(admission.wait + milliseconds(std::uniform_int_distribution<int>(0, 20)(Random())));
  }
}

HttpResponse Upstream::Call(HttpClient& client, const HttpRequest& request, Urgency urgency,
                            const CallRules& rules, const std::function<Verdict(const HttpResponse&)>& judge,
                            const Waiter& wait) {
  const auto end = Clock::now() + rules.budget;
  int throttled = 0;
  std::exception_ptr last;
  for (int attempt = 1; attempt <= rules.attempts; ++attempt) {
    if (last != nullptr) {
      const milliseconds pause =
          RetryPause(rules.first_pause, attempt, std::uniform_real_distribution<double>(0, 1)(Random()));
      if (Clock::now() + pause >= end) break;
      wait(pause);
    }
    HttpLimits limits = rules.limits;
    Turn turn;
    try {
      turn =
          WaitForTurn(urgency, limits.total + kLeaseMargin, std::min(end, Clock::now() + rules.turn), wait);
    } catch (const Error& error) {
      // The previous failure is more informative than the lack of time for another attempt.
      if (last != nullptr && error.code() == kBusyCode) break;
      throw;
    }
    const auto& [id, asked] = turn;
    // Ends before the lease, even if this thread was not scheduled for a while.
    limits.total = std::chrono::ceil<milliseconds>(std::min(end, asked + limits.total) - Clock::now());
    if (limits.total < kLeastTime) {
      Withdraw(id);
      if (last != nullptr) break;
      throw UpstreamBusy(name_ + ": the turn came too late", milliseconds(1'000));
    }
    Verdict verdict;
    try {
      HttpResponse response = client.Send(request, limits, wait);
      verdict = judge(response);
      if (verdict.kind == Verdict::Kind::kAnswer) {
        Report(id, verdict);
        return response;
      }
      last =
          std::make_exception_ptr(Error(ErrorKind::kUpstream, verdict.code, name_ + ": " + verdict.reason));
    } catch (const HttpError& error) {
      if (error.failure() == HttpFailure::kRefusedAddress) {
        Withdraw(id);
        throw;
      }
      verdict = {.kind = Verdict::Kind::kFailed, .reason = error.what()};
      last = std::current_exception();
    } catch (...) {
      Tell(id, "unknown", verdict);
      throw;
    }
    Report(id, verdict);
    LogLine(LogLevel::kWarn)
        .Add("event", "upstream_failed")
        .Add("upstream", name_)
        .Add("attempt", attempt)
        .Add("why", verdict.reason)
        .Write();
    if (verdict.kind != Verdict::Kind::kThrottled) continue;
    if (throttled++ == rules.throttled) throw UpstreamBusy(name_ + " throttles", ThrottlePause(1, verdict));
    last = nullptr;  // the pause comes from Ask
    --attempt;
  }
  std::rethrow_exception(last);
}

}  // namespace syncline
