// When a day of a collection ends, and which cards are unburied then.
#include "handlers/anki/collection/config_wire.h"

#include <boost/test/unit_test.hpp>

#include "handlers/base/errors.h"

using namespace syncline;
using namespace syncline::anki;

namespace {

constexpr std::int64_t kHour = 3600, kDay = 86'400;
// 2023-11-15 00:00 UTC.
constexpr std::int64_t kMidnight = 1'700'006'400;

DayConfig West(std::int64_t creation_min, std::int64_t local_min, std::int64_t rollover = 4) {
  DayConfig config;
  config.scheduler = 2;
  config.creation_west_min = creation_min;
  config.local_west_min = local_min;
  config.rollover_hour = rollover;
  return config;
}

}  // namespace

BOOST_AUTO_TEST_CASE(members_of_another_type_count_as_absent) {
  const DayConfig config = ReadDayConfig(
      R"({"schedVer":2,"creationOffset":null,"localOffset":"x","rollover":4.5,"lastUnburied":7})");
  BOOST_TEST(config.scheduler == 2);
  BOOST_TEST(!config.creation_west_min);
  BOOST_TEST(config.local_west_min == 0);
  BOOST_TEST(!config.rollover_hour);
  BOOST_TEST(config.last_unburied_day == 7);
  BOOST_CHECK_THROW(ReadDayConfig("{"), syncline::Error);
}

BOOST_AUTO_TEST_CASE(a_day_begins_at_the_rollover_hour) {
  const DayConfig config = West(0, 0);
  const std::int64_t created = kMidnight + 4 * kHour;
  BOOST_TEST(DaysElapsed(config, created, created) == 0);
  BOOST_TEST(DaysElapsed(config, created, kMidnight + kDay + 4 * kHour - 1) == 0);
  BOOST_TEST(DaysElapsed(config, created, kMidnight + kDay + 4 * kHour) == 1);
  BOOST_TEST(DaysElapsed(config, created, kMidnight + 10 * kDay + 12 * kHour) == 10);
  // A clock before the creation.
  BOOST_TEST(DaysElapsed(config, created, created - 5 * kDay) == 0);
}

BOOST_AUTO_TEST_CASE(east_of_utc_the_day_ends_earlier) {
  // Offsets are minutes west: -540 is Tokyo, nine hours ahead. Four in the morning there is 19:00 UTC.
  const DayConfig tokyo = West(-540, -540);
  const std::int64_t created = kMidnight + 19 * kHour;
  BOOST_TEST(DaysElapsed(tokyo, created, kMidnight + kDay + 19 * kHour - 1) == 0);
  BOOST_TEST(DaysElapsed(tokyo, created, kMidnight + kDay + 19 * kHour) == 1);
  const DayConfig honolulu = West(600, 600);
  const std::int64_t created_there = kMidnight + 14 * kHour;
  BOOST_TEST(DaysElapsed(honolulu, created_there, kMidnight + kDay + 14 * kHour - 1) == 0);
  BOOST_TEST(DaysElapsed(honolulu, created_there, kMidnight + kDay + 14 * kHour) == 1);
}

BOOST_AUTO_TEST_CASE(a_late_or_negative_rollover_hour_is_an_hour_of_the_day) {
  const std::int64_t created = kMidnight + 12 * kHour;
  BOOST_TEST(DaysElapsed(West(0, 0, 23), created, kMidnight + kDay + 22 * kHour) == 0);
  BOOST_TEST(DaysElapsed(West(0, 0, 23), created, kMidnight + kDay + 23 * kHour) == 1);
  BOOST_TEST(DaysElapsed(West(0, 0, -1), created, kMidnight + kDay + 22 * kHour) == 0);
  BOOST_TEST(DaysElapsed(West(0, 0, 28), created, kMidnight + kDay + 4 * kHour) == 1);
}

BOOST_AUTO_TEST_CASE(impossible_offsets_are_clamped) {
  BOOST_TEST(DaysElapsed(West(INT64_MAX, INT64_MIN), kMidnight, kMidnight + 3 * kDay) >= 0);
  BOOST_TEST(DaysElapsed(West(INT64_MIN, INT64_MAX, INT64_MAX), kMidnight, kMidnight + 3 * kDay) >= 0);
}

BOOST_AUTO_TEST_CASE(the_first_scheduler_counts_days_of_24_hours) {
  DayConfig config;
  BOOST_TEST(DaysElapsed(config, kMidnight + 5, kMidnight + kDay + 4) == 0);
  BOOST_TEST(DaysElapsed(config, kMidnight + 5, kMidnight + kDay + 5) == 1);
}

BOOST_AUTO_TEST_CASE(cards_are_unburied_once_a_day_and_after_a_wrong_clock) {
  DayConfig config = West(0, 0);
  const std::int64_t created = kMidnight + 4 * kHour, now = created + 10 * kDay;
  config.last_unburied_day = 10;
  BOOST_TEST(!UnburyDay(config, created, now));
  config.last_unburied_day = 9;
  BOOST_TEST(UnburyDay(config, created, now).value() == 10);
  config.last_unburied_day = 17;
  BOOST_TEST(!UnburyDay(config, created, now));
  config.last_unburied_day = 18;
  BOOST_TEST(UnburyDay(config, created, now).value() == 10);
}

BOOST_AUTO_TEST_CASE(an_unburied_card_goes_to_the_queue_of_its_type) {
  BOOST_TEST(UnburiedQueue(0, 5) == 0);
  BOOST_TEST(UnburiedQueue(1, 1'700'000'000) == 1);
  BOOST_TEST(UnburiedQueue(1, 800) == 3);
  BOOST_TEST(UnburiedQueue(2, 800) == 2);
  BOOST_TEST(UnburiedQueue(3, 1'700'000'000) == 1);
  BOOST_TEST(UnburiedQueue(3, 1'000'000'000) == 3);
}
