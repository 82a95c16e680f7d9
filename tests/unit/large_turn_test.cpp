// handlers/base/large_turn: one at a time, in order of arrival, with a bounded wait.
#include "handlers/base/large_turn.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <optional>
#include <thread>
#include <vector>

#include "handlers/base/errors.h"

using namespace syncline;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_CASE(only_one_thread_has_the_turn_and_all_get_it) {
  std::atomic<int> inside = 0, most = 0, served = 0;
  std::vector<std::thread> threads;
  for (int n = 0; n < 8; ++n) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) {
        const LargeTurn turn(60s);
        most = std::max(most.load(), ++inside);
        std::this_thread::sleep_for(1ms);
        --inside;
        ++served;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  BOOST_TEST(most == 1);
  BOOST_TEST(served == 40);
}

BOOST_AUTO_TEST_CASE(a_wait_that_is_too_long_throws_busy_and_blocks_nobody) {
  std::optional<LargeTurn> first;
  first.emplace(1s);
  const auto begin = std::chrono::steady_clock::now();
  const auto is_busy = [](const Error& e) { return e.kind() == ErrorKind::kBusy && e.retry_after(); };
  BOOST_CHECK_EXCEPTION(LargeTurn(50ms), Error, is_busy);
  BOOST_TEST((std::chrono::steady_clock::now() - begin >= 50ms));
  first.reset();
  BOOST_CHECK_NO_THROW(LargeTurn(0ms));
}

BOOST_AUTO_TEST_CASE(turns_are_given_in_order_of_arrival) {
  std::optional<LargeTurn> first;
  first.emplace(1s);
  std::vector<int> order;
  std::vector<std::thread> threads;
  for (int n = 0; n < 5; ++n) {
    threads.emplace_back([&order, n] {
      const LargeTurn turn(60s);
      order.push_back(n);
    });
    std::this_thread::sleep_for(20ms);
  }
  first.reset();
  for (auto& thread : threads) thread.join();
  BOOST_TEST(order == std::vector<int>({0, 1, 2, 3, 4}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_client_that_leaves_gives_up_its_place) {
  std::optional<LargeTurn> first;
  first.emplace(1s);
  const auto begin = std::chrono::steady_clock::now();
  const auto is_gone = [](const Error& e) { return e.code() == "client_gone"; };
  BOOST_CHECK_EXCEPTION(LargeTurn(60s, [] { return true; }), Error, is_gone);
  BOOST_TEST((std::chrono::steady_clock::now() - begin < 5s));
  first.reset();
  BOOST_CHECK_NO_THROW(LargeTurn(0ms));
}

BOOST_AUTO_TEST_CASE(a_line_that_is_full_refuses_at_once) {
  std::optional<LargeTurn> first;
  first.emplace(1s);
  std::vector<std::thread> threads;
  for (std::size_t n = 0; n < kMostInLine; ++n) threads.emplace_back([] { const LargeTurn turn(60s); });
  std::this_thread::sleep_for(100ms);
  const auto begin = std::chrono::steady_clock::now();
  BOOST_CHECK_EXCEPTION(LargeTurn(60s), Error, [](const Error& e) { return e.kind() == ErrorKind::kBusy; });
  BOOST_TEST((std::chrono::steady_clock::now() - begin < 5s));
  first.reset();
  for (auto& thread : threads) thread.join();
}
