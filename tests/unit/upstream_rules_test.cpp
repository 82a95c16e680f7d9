// handlers/base/upstream: the rules that need no Redis.
#include <boost/test/unit_test.hpp>

#include "handlers/base/conditional.h"
#include "handlers/base/upstream.h"

using namespace syncline;
using namespace std::chrono_literals;

namespace {

constexpr auto kNow = std::chrono::sys_days(std::chrono::year(2026) / 1 / 31) + 10h;

std::optional<std::chrono::milliseconds> RetryAfter(std::string_view value) {
  return ParseRetryAfter(value, kNow);
}

}  // namespace

BOOST_AUTO_TEST_CASE(pauses_double_with_full_jitter) {
  BOOST_TEST((RetryPause(200ms, 2, 1) == 200ms));
  BOOST_TEST((RetryPause(200ms, 3, 1) == 400ms));
  BOOST_TEST((RetryPause(200ms, 5, 1) == 1600ms));
  BOOST_TEST((RetryPause(2s, 5, 0.5) == 8s));
  BOOST_TEST((RetryPause(2s, 5, 0) == 0ms));
  BOOST_TEST((RetryPause(1ms, 1'000, 1) == std::chrono::milliseconds(1 << 20)));
}

BOOST_AUTO_TEST_CASE(each_429_in_a_row_pauses_longer) {
  const Verdict usual{}, of_mal{.is_long = true};
  BOOST_TEST((ThrottlePause(1, usual) == 5s));
  BOOST_TEST((ThrottlePause(2, usual) == 10s));
  BOOST_TEST((ThrottlePause(3, usual) == 20s));
  BOOST_TEST((ThrottlePause(4, usual) == 40s));
  BOOST_TEST((ThrottlePause(5, usual) == 60s));
  BOOST_TEST((ThrottlePause(99, usual) == 60s));
  BOOST_TEST((ThrottlePause(0, usual) == 5s));
  BOOST_TEST((ThrottlePause(2, of_mal) == 100s));
}

BOOST_AUTO_TEST_CASE(the_pause_is_at_least_what_the_upstream_asks_for_and_at_most_an_hour) {
  BOOST_TEST((ThrottlePause(1, {.retry_after = 2s}) == 5s));
  BOOST_TEST((ThrottlePause(1, {.retry_after = 90s}) == 90s));
  BOOST_TEST((ThrottlePause(1, {.retry_after = 100h}) == 1h));
}

BOOST_AUTO_TEST_CASE(retry_after_is_seconds_or_a_date) {
  BOOST_TEST((RetryAfter("120") == 120'000ms));
  BOOST_TEST((RetryAfter("Sat, 31 Jan 2026 10:00:30 GMT") == 30'000ms));
  for (const char* nonsense : {"", "0", "-5", "1.5", "5 s", "soon", "Sat, 31 Jan 2026 09:59:59 GMT"})
    BOOST_TEST(!RetryAfter(nonsense), nonsense);
  // Far beyond any pause, and no overflow.
  BOOST_TEST((*RetryAfter("9000000000000000000") > 1h));
  BOOST_TEST((*RetryAfter("Sun, 06 Nov 9593 08:49:37 GMT") > 1h));
}

BOOST_AUTO_TEST_CASE(a_person_waits_less_than_a_job) {
  const CallRules person = RulesFor(Urgency::kInteractive), job = RulesFor(Urgency::kBackground);
  BOOST_TEST((person.budget == 10s && job.budget == 120s));
  BOOST_TEST((person.turn == 3s && job.turn == 60s));
  BOOST_TEST((person.limits.total == 6s && job.limits.total == 20s));
  BOOST_TEST((person.throttled == 0 && job.throttled == 2));
  BOOST_TEST((person.attempts == 5 && job.attempts == 5));
}
