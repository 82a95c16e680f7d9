// handlers/base/single_flight against a real Redis at REDIS_URL.
#include "handlers/base/single_flight.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/support/inputs.h"
#include "tests/support/known_redis.h"
#include "tests/support/sanitizer.h"

using namespace syncline;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

std::string FreshKey() {
  static std::random_device random;
  return "test:" + std::to_string(random());
}

void Sleep(std::chrono::milliseconds time) {
  std::this_thread::sleep_for(time);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_thousand_who_want_the_same_do_it_once) {
  constexpr int kThreads = tests::kIsSanitized ? 3 : 63;
  const std::string key = FreshKey();
  Redis counter(tests::RedisUrl());
  std::vector<pid_t> children;
  for (int process = 0; process < 16; ++process) {
    const pid_t pid = fork();
    if (pid == 0) {
      std::atomic<int> right{0};
      std::vector<std::thread> threads;
      for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&] {
          Redis redis(tests::RedisUrl());
          // A thousand connections at once are more than Redis accepts at once.
          while (tests::CodeOf([&] { redis.Ping(); }) != "") Sleep(100ms);
          std::string outcome;
          // A thousand callers may keep Redis busy for longer than a command waits.
          while (outcome.empty()) {
            try {
              outcome = DoOnce(
                  redis, key, {.waiters = 100},
                  [&]() -> FlightOutcome {
                    redis.Command({"INCR", key + ":done"});
                    Sleep(500ms);
                    return {.text = "found", .keep = 5s};
                  },
                  Sleep);
            } catch (const Error& error) {
              if (error.code() != "redis_unavailable") throw;
              Sleep(100ms);
            }
          }
          right += outcome == "found" ? 1 : 0;
        });
      }
      for (std::thread& thread : threads) thread.join();
      _exit(right == kThreads ? 0 : 1);
    }
    children.push_back(pid);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    BOOST_TEST(status == 0);
  }
  BOOST_TEST(counter.Command({"GET", key + ":done"}).text == "1");
}

BOOST_AUTO_TEST_CASE(an_outcome_is_shared_as_long_as_it_is_kept) {
  Redis redis(tests::RedisUrl());
  const std::string key = FreshKey();
  int done = 0;
  const auto once = [&](const std::string& text) {
    return DoOnce(
        redis, key, {},
        [&]() -> FlightOutcome {
          ++done;
          return {.text = text, .keep = 1s};
        },
        Sleep);
  };
  BOOST_TEST(once("404") == "404");
  BOOST_TEST(once("other") == "404");
  BOOST_TEST(done == 1);
  Sleep(1050ms);
  BOOST_TEST(once("") == "");
  BOOST_TEST(once("other") == "");
  BOOST_TEST(done == 2);
}

BOOST_AUTO_TEST_CASE(the_lease_of_a_killed_process_ends) {
  Redis redis(tests::RedisUrl());
  const std::string key = FreshKey();
  const pid_t pid = fork();
  if (pid == 0) {
    Redis own(tests::RedisUrl());
    DoOnce(
        own, key, {.lease = 500ms},
        [&]() -> FlightOutcome {
          own.Command({"SET", key + ":began", "1"});
          Sleep(60s);
          return {};
        },
        Sleep);
    _exit(0);
  }
  while (redis.Command({"GET", key + ":began"}).text != "1") Sleep(5ms);
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  const auto begin = Clock::now();
  BOOST_TEST(DoOnce(
                 redis, key, {.lease = 500ms}, []() -> FlightOutcome { return {.text = "second"}; }, Sleep) ==
             "second");
  BOOST_TEST((Clock::now() - begin < 1500ms));
}

BOOST_AUTO_TEST_CASE(whoever_exceeds_the_lease_does_not_overwrite_the_outcome_of_the_next_one) {
  Redis redis(tests::RedisUrl());
  const std::string key = FreshKey();
  const FlightRules rules{.lease = 100ms};
  const auto slow = DoOnce(
      redis, key, rules,
      [&]() -> FlightOutcome {
        Sleep(150ms);
        Redis other(tests::RedisUrl());
        DoOnce(
            other, key, rules, []() -> FlightOutcome { return {.text = "next"}; }, Sleep);
        return {.text = "slow"};
      },
      Sleep);
  BOOST_TEST(slow == "slow");
  BOOST_TEST(DoOnce(
                 redis, key, rules, []() -> FlightOutcome { return {.text = "third"}; }, Sleep) == "next");
}

BOOST_AUTO_TEST_CASE(an_exception_leaves_the_work_to_the_next_one) {
  Redis redis(tests::RedisUrl());
  const std::string key = FreshKey();
  BOOST_TEST(tests::CodeOf([&] {
               DoOnce(
                   redis, key, {}, []() -> FlightOutcome { throw NotFound("nothing"); }, Sleep);
             }) == "nothing");
  const auto begin = Clock::now();
  BOOST_TEST(DoOnce(
                 redis, key, {}, []() -> FlightOutcome { return {.text = "done"}; }, Sleep) == "done");
  BOOST_TEST((Clock::now() - begin < 200ms));
}

BOOST_AUTO_TEST_CASE(patience_ends) {
  Redis redis(tests::RedisUrl());
  const std::string key = FreshKey();
  DoOnce(
      redis, key, {},
      [&]() -> FlightOutcome {
        Redis other(tests::RedisUrl());
        const auto begin = Clock::now();
        BOOST_TEST(tests::CodeOf([&] {
                     DoOnce(
                         other, key, {.patience = 300ms}, []() -> FlightOutcome { return {}; }, Sleep);
                   }) == "upstream_busy");
        BOOST_TEST((Clock::now() - begin < 1s));
        return {};
      },
      Sleep);
}

BOOST_AUTO_TEST_CASE(of_those_who_wait_in_one_process_some_are_refused) {
  const std::string key = FreshKey();
  std::atomic<int> done{0}, refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 40; ++i) {
    threads.emplace_back([&] {
      Redis own(tests::RedisUrl());
      const auto code = tests::CodeOf([&] {
        DoOnce(
            own, key, {},
            []() -> FlightOutcome {
              Sleep(1500ms);
              return {.text = "found"};
            },
            Sleep);
      });
      ++(code.empty() ? done : refused);
    });
  }
  for (std::thread& thread : threads) thread.join();
  // One works, and sixteen wait.
  BOOST_TEST(done == 17);
  BOOST_TEST(refused == 23);
  Redis redis(tests::RedisUrl());
  BOOST_TEST(DoOnce(
                 redis, FreshKey(), {}, []() -> FlightOutcome { return {.text = "free"}; }, Sleep) == "free");
}

BOOST_AUTO_TEST_CASE(without_redis_nothing_is_done) {
  Redis away("unix:///nonexistent/redis.sock");
  bool is_done = false;
  BOOST_TEST(tests::CodeOf([&] {
               DoOnce(
                   away, "x", {},
                   [&]() -> FlightOutcome {
                     is_done = true;
                     return {};
                   },
                   Sleep);
             }) == "redis_unavailable");
  BOOST_TEST(!is_done);
}
