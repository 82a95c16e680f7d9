// handlers/base/rate_limit against a real Redis at REDIS_URL.
#include "handlers/base/rate_limit.h"

#include <boost/test/unit_test.hpp>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "handlers/base/errors.h"
#include "tests/support/known_redis.h"

using namespace syncline;
using namespace std::chrono_literals;

namespace {

std::string FreshKey() {
  static std::random_device random;
  return "test:" + std::to_string(random()) + std::to_string(random());
}

// How many of `uses` immediate uses are allowed.
int AllowedOf(Redis& redis, const std::string& key, RateLimit limit, int uses) {
  int allowed = 0;
  for (int i = 0; i < uses; ++i) allowed += Allow(redis, key, limit).is_allowed ? 1 : 0;
  return allowed;
}

}  // namespace

BOOST_AUTO_TEST_CASE(exactly_the_limit_is_allowed) {
  Redis redis(tests::RedisUrl());
  for (const int count : {1, 2, 3, 7, 60, 1000}) {
    const std::string key = FreshKey();
    BOOST_TEST(AllowedOf(redis, key, {count, 1h}, count) == count);
    const RateAnswer answer = Allow(redis, key, {count, 1h});
    BOOST_TEST(!answer.is_allowed);
    BOOST_TEST(
        (answer.retry_after > 0ms && answer.retry_after <= std::chrono::milliseconds(1h) / count + 1ms));
  }
}

BOOST_AUTO_TEST_CASE(one_key_does_not_use_up_another) {
  Redis redis(tests::RedisUrl());
  const std::string a = FreshKey(), b = FreshKey();
  BOOST_TEST(AllowedOf(redis, a, {1, 1h}, 2) == 1);
  BOOST_TEST(Allow(redis, b, {1, 1h}).is_allowed);
}

BOOST_AUTO_TEST_CASE(after_retry_after_one_more_use_is_allowed) {
  Redis redis(tests::RedisUrl());
  const std::string key = FreshKey();
  const RateLimit limit{5, 1s};
  BOOST_TEST(AllowedOf(redis, key, limit, 5) == 5);
  const RateAnswer answer = Allow(redis, key, limit);
  BOOST_TEST(!answer.is_allowed);
  BOOST_TEST((answer.RetryAfterSeconds() == 1s));
  std::this_thread::sleep_for(answer.retry_after + 1ms);
  BOOST_TEST(AllowedOf(redis, key, limit, 2) == 1);
}

BOOST_AUTO_TEST_CASE(a_refused_use_does_not_count) {
  Redis redis(tests::RedisUrl());
  const std::string key = FreshKey();
  const RateLimit limit{1, 300ms};
  Allow(redis, key, limit);
  BOOST_TEST(AllowedOf(redis, key, limit, 20) == 0);
  std::this_thread::sleep_for(301ms);
  BOOST_TEST(Allow(redis, key, limit).is_allowed);
}

BOOST_AUTO_TEST_CASE(concurrent_uses_share_one_limit) {
  const std::string key = FreshKey();
  std::vector<std::thread> threads;
  std::vector<int> allowed(4);
  for (int& count : allowed) {
    threads.emplace_back([&count, &key] {
      Redis redis(tests::RedisUrl());
      count = AllowedOf(redis, key, {50, 1h}, 50);
    });
  }
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(allowed[0] + allowed[1] + allowed[2] + allowed[3] == 50);
}

BOOST_AUTO_TEST_CASE(a_key_expires_when_its_bucket_is_empty) {
  Redis redis(tests::RedisUrl());
  const std::string key = FreshKey();
  Allow(redis, key, {10, 1s});
  const std::int64_t ttl_ms = redis.Command({"PTTL", "syncline:rate:" + key}).integer;
  BOOST_TEST(ttl_ms > 0);
  BOOST_TEST(ttl_ms <= 101);
}

BOOST_AUTO_TEST_CASE(a_time_far_in_the_future_does_not_block_forever) {
  Redis redis(tests::RedisUrl());
  const std::string key = FreshKey();
  redis.Command({"SET", "syncline:rate:" + key, "99999999999999999", "EX", "60"});
  const RateAnswer answer = Allow(redis, key, {10, 1s});
  BOOST_TEST(!answer.is_allowed);
  BOOST_TEST((answer.retry_after <= 1s));
}

BOOST_AUTO_TEST_CASE(an_unreachable_redis_throws_redis_unavailable) {
  Redis redis("unix:///nonexistent/redis.sock");
  BOOST_CHECK_EXCEPTION(Allow(redis, "x", {1, 1s}), Error,
                        [](const Error& error) { return error.code() == "redis_unavailable"; });
}
