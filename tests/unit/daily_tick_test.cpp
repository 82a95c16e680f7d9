#include "handlers/jobs/daily_tick.h"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <ctime>

using namespace syncline;

namespace {

struct Berlin {
  Berlin() {
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
  }
  ~Berlin() {
    unsetenv("TZ");
    tzset();
  }
};

// Seconds since the epoch, as jobs see them.
std::int64_t Tick(std::int64_t now_s, int hour) {
  return std::chrono::system_clock::to_time_t(
      jobs::LastDailyTick(std::chrono::system_clock::from_time_t(now_s), hour));
}

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kJune1 = 1'780'272'000;      // 2026-06-01 00:00 UTC, a summer day
constexpr std::int64_t kMarch29 = 1'774'742'400;    // 2026-03-29 00:00 UTC: at 01:00 clocks go from 2 to 3
constexpr std::int64_t kOctober25 = 1'792'886'400;  // 2026-10-25 00:00 UTC: at 01:00 clocks go from 3 to 2

}  // namespace

BOOST_FIXTURE_TEST_SUITE(daily_tick, Berlin)

BOOST_AUTO_TEST_CASE(the_hour_is_that_of_local_clocks) {
  BOOST_TEST(Tick(kJune1 + 2 * kHour, 4) == kJune1 + 2 * kHour);
  BOOST_TEST(Tick(kJune1 + 2 * kHour - 1, 4) == kJune1 - 22 * kHour);
  BOOST_TEST(Tick(kJune1 + 25 * kHour, 4) == kJune1 + 2 * kHour);
  BOOST_TEST(Tick(kJune1 + 21 * kHour, 0) == kJune1 - 2 * kHour);
  BOOST_TEST(Tick(kJune1 + 22 * kHour, 0) == kJune1 + 22 * kHour);
}

BOOST_AUTO_TEST_CASE(a_change_of_the_clocks_neither_skips_nor_repeats_a_night) {
  BOOST_TEST(Tick(kMarch29 + kHour * 12, 4) == kMarch29 + 2 * kHour);
  BOOST_TEST(Tick(kOctober25 + kHour * 12, 4) == kOctober25 + 3 * kHour);
  for (const std::int64_t night : {kMarch29, kOctober25}) {
    std::int64_t ticks = 0;
    std::int64_t last = Tick(night - 12 * kHour, 2);
    for (std::int64_t now = night - 12 * kHour; now <= night + 12 * kHour; now += 600) {
      const std::int64_t tick = Tick(now, 2);
      BOOST_TEST(tick <= now);
      if (tick != last) ++ticks;
      last = tick;
    }
    BOOST_TEST(ticks == 1);
  }
}

BOOST_AUTO_TEST_SUITE_END()
