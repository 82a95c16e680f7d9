// handlers/base/redis against a real Redis at REDIS_URL.
#include "handlers/base/redis.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#include "handlers/base/errors.h"
#include "tests/support/known_redis.h"

using namespace syncline;

namespace {

ErrorKind KindOf(Redis& redis, std::initializer_list<std::string_view> command) {
  try {
    redis.Command(command);
  } catch (const Error& error) {
    return error.kind();
  }
  throw std::runtime_error("the command did not fail");
}

}  // namespace

BOOST_AUTO_TEST_CASE(stored_values_are_returned) {
  Redis redis(tests::RedisUrl());
  const std::string key = "syncline-test:" + std::to_string(std::rand());
  const std::string value("a\0\r\n\xff", 5);
  BOOST_TEST(redis.Command({"SET", key, value, "EX", "60"}).text == "OK");
  BOOST_TEST((redis.Command({"GET", key}).text == value));
  BOOST_TEST(redis.Command({"DEL", key}).integer == 1);
  BOOST_TEST((redis.Command({"GET", key}).type == RedisReply::Type::kNull));
}

BOOST_AUTO_TEST_CASE(a_refused_command_is_an_internal_error_and_keeps_the_connection) {
  Redis redis(tests::RedisUrl());
  BOOST_TEST((KindOf(redis, {"NO-SUCH-COMMAND"}) == ErrorKind::kInternal));
  redis.Ping();
}

BOOST_AUTO_TEST_CASE(a_connection_closed_by_redis_is_reopened) {
  Redis redis(tests::RedisUrl()), other(tests::RedisUrl());
  const std::string id = std::to_string(redis.Command({"CLIENT", "ID"}).integer);
  other.Command({"CLIENT", "KILL", "ID", id});
  redis.Ping();
  BOOST_TEST(std::to_string(redis.Command({"CLIENT", "ID"}).integer) != id);
}

BOOST_AUTO_TEST_CASE(an_unreachable_redis_is_busy_at_once) {
  const auto begin = std::chrono::steady_clock::now();
  for (const char* url : {"unix:///nonexistent/redis.sock", "redis://127.0.0.1:1", "nonsense"}) {
    Redis redis(url);
    BOOST_TEST((KindOf(redis, {"PING"}) == ErrorKind::kBusy));
  }
  BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(3)));
}

BOOST_AUTO_TEST_CASE(a_redis_that_does_not_answer_costs_half_a_second) {
  Redis redis(tests::RedisUrl());
  redis.Ping();
  const auto begin = std::chrono::steady_clock::now();
  BOOST_TEST((KindOf(redis, {"BLPOP", "syncline-test:nothing-ever", "5"}) == ErrorKind::kBusy));
  BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(3)));
  // Nobody else waits for it a second time.
  Redis another(tests::RedisUrl());
  const auto again = std::chrono::steady_clock::now();
  BOOST_TEST((KindOf(another, {"PING"}) == ErrorKind::kBusy));
  BOOST_TEST((std::chrono::steady_clock::now() - again < std::chrono::milliseconds(100)));
  std::this_thread::sleep_for(kRedisRest);
  // The late answer is not mistaken for that of the next command.
  BOOST_TEST(redis.Command({"ECHO", "next"}).text == "next");
  BOOST_TEST(another.Command({"ECHO", "next"}).text == "next");
}
