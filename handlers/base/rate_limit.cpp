#include "handlers/base/rate_limit.h"

#include <algorithm>
#include <string>

#include "handlers/base/errors.h"

namespace syncline {
namespace {

// The key holds the time (microseconds, clock of Redis) at which the bucket will be empty again; without a
// key it is empty. Returns 0, or the milliseconds to wait. Whole microseconds only, or rounding would add up
// over a burst; %.0f, because Lua would otherwise drop the last digits of large numbers. A time further away
// than a full bucket was left by another limit or another clock.
constexpr std::string_view kScript = R"(
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local per = ARGV[2] * 1000
local step = math.max(1, math.floor(per / ARGV[1]))
local empty_at = tonumber(redis.call('GET', KEYS[1]) or now)
if empty_at < now then empty_at = now end
if empty_at > now + per then empty_at = now + per end
local next_at = empty_at + step
local wait = next_at - per - now
if wait > 0 then return math.ceil(wait / 1000) end
redis.call('SET', KEYS[1], string.format('%.0f', next_at), 'PX', math.max(1, math.ceil((next_at - now) / 1000)))
return 0
)";

}  // namespace

std::chrono::seconds RateAnswer::RetryAfterSeconds() const {
  return std::max(std::chrono::seconds(1), std::chrono::ceil<std::chrono::seconds>(retry_after));
}

RateAnswer Allow(Redis& redis, std::string_view key, RateLimit limit) {
  const std::string name = "syncline:rate:" + std::string(key);
  const auto wait = redis
                        .Command({"EVAL", kScript, "1", name, std::to_string(limit.count),
                                  std::to_string(limit.per.count())})
                        .integer;
  return {wait == 0, std::chrono::milliseconds(wait)};
}

void RequireRate(Redis& redis, std::string_view key, RateLimit limit, WithoutRedis without) {
  RateAnswer answer;
  try {
    answer = Allow(redis, key, limit);
  } catch (const Error& error) {
    if (without == WithoutRedis::kRefuse || error.code() != "redis_unavailable") throw;
  }
  if (!answer.is_allowed)
    throw Error(ErrorKind::kTooMany, "too_many_requests").RetryAfter(answer.RetryAfterSeconds());
}

}  // namespace syncline
