// fcgi/account_turns: two requests of an account run, the others are parked and go on in order, after a pause if the
// account sends too much.
#include "fcgi/account_turns.h"

#include <poll.h>

#include <boost/test/unit_test.hpp>
#include <thread>
#include <utility>
#include <vector>

using namespace syncline;
using namespace syncline::front;
using namespace std::chrono_literals;

using Admission = AccountTurns::Admission;
using Coming = Visit::Coming;

namespace {

const UserId kAnna{1}, kBert{2};

std::unique_ptr<Visit> VisitOf(UserId account, int connection = -1) {
  return std::make_unique<Visit>(
      Visit{.connection = FileDescriptor(connection), .gate = nullptr, .account = account});
}

// Waits for the alarm as a slot does.
std::unique_ptr<Visit> NextWithin(AccountTurns& turns, std::chrono::milliseconds time) {
  const auto end = AccountTurns::Clock::now() + time;
  for (;;) {
    if (auto visit = turns.Next()) return visit;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - AccountTurns::Clock::now());
    pollfd alarm{turns.alarm(), POLLIN, 0};
    if (left.count() <= 0 || poll(&alarm, 1, static_cast<int>(left.count())) <= 0) return turns.Next();
  }
}

void Fill(AccountTurns& turns, UserId account) {
  for (int n = 0; n < AccountTurns::kRunning; ++n) BOOST_REQUIRE((turns.Enter(account) == Admission::kNow));
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_account_runs_two_requests_and_the_others_are_parked) {
  AccountTurns turns;
  Fill(turns, kAnna);
  BOOST_TEST((turns.Enter(kAnna) == Admission::kPark));
  BOOST_TEST((turns.Enter(kBert) == Admission::kNow));
  turns.Leave(kAnna, 0s, false);
  BOOST_TEST((turns.Enter(kAnna) == Admission::kNow));
}

BOOST_AUTO_TEST_CASE(parked_requests_go_on_in_order_as_soon_as_one_ends) {
  AccountTurns turns;
  Fill(turns, kAnna);
  auto first = VisitOf(kAnna), second = VisitOf(kAnna);
  const Visit *one = first.get(), *two = second.get();
  turns.Park(std::move(first));
  turns.Park(std::move(second));
  BOOST_TEST(turns.Next() == nullptr);
  turns.Leave(kAnna, 0s, false);
  const auto next = NextWithin(turns, 1s);
  BOOST_TEST(next.get() == one);
  BOOST_TEST((next->coming == Coming::kWithTurn));
  // It has the turn, so the second one waits.
  BOOST_TEST(NextWithin(turns, 50ms) == nullptr);
  turns.Leave(kAnna, 0s, false);
  BOOST_TEST(NextWithin(turns, 1s).get() == two);
}

BOOST_AUTO_TEST_CASE(a_request_that_comes_later_does_not_overtake_a_parked_one) {
  AccountTurns turns;
  Fill(turns, kAnna);
  turns.Park(VisitOf(kAnna));
  turns.Leave(kAnna, 0s, false);
  BOOST_TEST((turns.Enter(kAnna) == Admission::kPark));
}

BOOST_AUTO_TEST_CASE(a_turn_that_became_free_before_parking_is_not_missed) {
  AccountTurns turns;
  Fill(turns, kAnna);
  BOOST_REQUIRE((turns.Enter(kAnna) == Admission::kPark));
  turns.Leave(kAnna, 0s, false);
  turns.Leave(kAnna, 0s, false);
  turns.Park(VisitOf(kAnna));
  BOOST_TEST(NextWithin(turns, 1s) != nullptr);
}

BOOST_AUTO_TEST_CASE(what_is_parked_goes_on_after_a_pause_as_long_as_twice_the_last_request) {
  AccountTurns turns;
  Fill(turns, kAnna);
  turns.Park(VisitOf(kAnna));
  const auto begin = AccountTurns::Clock::now();
  turns.Leave(kAnna, 100ms, false);
  BOOST_TEST(NextWithin(turns, 2s) != nullptr);
  const auto took = AccountTurns::Clock::now() - begin;
  BOOST_TEST((took >= 200ms && took < 800ms));
}

BOOST_AUTO_TEST_CASE(an_account_pauses_after_a_refusal_and_nobody_else_does) {
  AccountTurns turns;
  BOOST_REQUIRE((turns.Enter(kAnna) == Admission::kNow));
  turns.Leave(kAnna, 0s, true);
  BOOST_TEST((turns.Enter(kAnna) == Admission::kPark));
  BOOST_TEST((turns.Enter(kBert) == Admission::kNow));
  turns.Park(VisitOf(kAnna));
  const auto begin = AccountTurns::Clock::now();
  BOOST_TEST(NextWithin(turns, 2s) != nullptr);
  BOOST_TEST((AccountTurns::Clock::now() - begin >= AccountTurns::kRefusalPause - 20ms));
}

BOOST_AUTO_TEST_CASE(no_account_parks_more_than_its_share) {
  AccountTurns turns;
  Fill(turns, kAnna);
  for (std::size_t n = 0; n < AccountTurns::kParked; ++n) {
    BOOST_REQUIRE((turns.Enter(kAnna) == Admission::kPark));
    turns.Park(VisitOf(kAnna));
  }
  BOOST_TEST((turns.Enter(kAnna) == Admission::kRefuse));
  Fill(turns, kBert);
  BOOST_TEST((turns.Enter(kBert) == Admission::kPark));
}

BOOST_AUTO_TEST_CASE(a_stopping_process_gets_all_parked_requests_back) {
  AccountTurns turns;
  Fill(turns, kAnna);
  turns.Park(VisitOf(kAnna));
  turns.Park(VisitOf(kAnna));
  for (int n = 0; n < 2; ++n) {
    const auto visit = turns.TakeAny();
    BOOST_REQUIRE(visit != nullptr);
    BOOST_TEST((visit->coming == Coming::kTooLate));
  }
  BOOST_TEST(turns.TakeAny() == nullptr);
}

BOOST_AUTO_TEST_CASE(many_threads_lose_no_request_and_run_no_third_one) {
  AccountTurns turns;
  std::atomic<int> running = 0, most = 0, served = 0, open = 400;
  const auto run = [&] {
    most = std::max(most.load(), ++running);
    std::this_thread::sleep_for(100us);
    --running;
    ++served;
    turns.Leave(kAnna, 0s, false);
  };
  const auto take = [&] {
    int n = open;
    while (n > 0 && !open.compare_exchange_weak(n, n - 1)) {
    }
    return n > 0;
  };
  std::vector<std::thread> slots;
  for (int n = 0; n < 8; ++n) {
    slots.emplace_back([&] {
      while (served < 400) {
        if (turns.Next() != nullptr) {
          run();
        } else if (take()) {
          switch (turns.Enter(kAnna)) {
            case Admission::kNow:
              run();
              break;
            case Admission::kPark:
              turns.Park(VisitOf(kAnna));
              break;
            case Admission::kRefuse:
              ++open;
          }
        }
      }
    });
  }
  for (auto& slot : slots) slot.join();
  BOOST_TEST(most == AccountTurns::kRunning);
  BOOST_TEST(served == 400);
}
