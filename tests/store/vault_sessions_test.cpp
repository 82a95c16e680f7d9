// handlers/vault/engineio/session_store and handlers/vault/socketio/presence_store against a real Redis at REDIS_URL.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <string>
#include <thread>

#include "handlers/vault/engineio/session_store.h"
#include "handlers/vault/socketio/presence_store.h"
#include "tests/support/inputs.h"
#include "tests/support/known_redis.h"

using namespace syncline;
using namespace syncline::vault;
using namespace std::chrono_literals;

namespace {

constexpr SessionRules kRules{.ping_interval = 300ms, .ping_timeout = 200ms};

struct WithRedis {
  Redis redis{tests::RedisUrl()};
  SessionStore sessions{redis};
  std::string sid = sessions.Open(kRules, "mark", {{"user", "7"}, {"ns:/a b", "x"}});

  Look::Kind Begin(const char* owner) { return sessions.LookInto(sid, owner, Looking::kBegin, "").kind; }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(fields_of_the_layer_above_stay_with_the_session, WithRedis) {
  sessions.SetFields(sid, {{"user", ""}, {"device", "9"}});
  SessionFields fields = sessions.Fields(sid);
  std::sort(fields.begin(), fields.end());
  BOOST_TEST((fields == SessionFields{{"device", "9"}, {"ns:/a b", "x"}}));
  SessionFields begun;
  BOOST_TEST((sessions.BeginPost(sid, "p", kRules, "", begun) == Posting::kBegun));
  BOOST_TEST(begun.size() == 2);
  BOOST_TEST(sessions.Fields("nobody").empty());
}

BOOST_FIXTURE_TEST_CASE(packets_wait_for_a_poll_and_wake_it, WithRedis) {
  const Look waiting = sessions.LookInto(sid, "a", Looking::kBegin, "mark");
  BOOST_TEST((waiting.kind == Look::Kind::kWait && waiting.wait <= 300ms && waiting.wait > 200ms));
  std::thread other([&] {
    Redis mine(tests::RedisUrl());
    std::this_thread::sleep_for(20ms);
    SessionStore(mine).Push(sid, {"4one", "4two"});
  });
  const auto begin = std::chrono::steady_clock::now();
  sessions.Await(sid, 5s);
  BOOST_TEST((std::chrono::steady_clock::now() - begin < 1s));
  other.join();
  const Look found = sessions.LookInto(sid, "a", Looking::kAgain, "mark");
  BOOST_TEST((found.kind == Look::Kind::kPackets));
  BOOST_TEST(found.payload ==
             "4one\x1e"
             "4two");
  BOOST_TEST((Begin("b") == Look::Kind::kWait));
}

BOOST_FIXTURE_TEST_CASE(a_poll_that_was_left_frees_its_slot_and_keeps_the_packets, WithRedis) {
  BOOST_TEST((Begin("a") == Look::Kind::kWait));
  sessions.Push(sid, {"4x"});
  sessions.LeavePoll(sid, "b");
  sessions.LeavePoll(sid, "a");
  const Look found = sessions.LookInto(sid, "c", Looking::kBegin, "");
  BOOST_TEST(found.payload == "4x");
}

BOOST_FIXTURE_TEST_CASE(an_alarm_comes_when_it_is_due_and_again_until_it_is_answered, WithRedis) {
  sessions.SetAlarm(sid, 0ms, SessionStore::From::kNow);
  BOOST_TEST((Begin("a") == Look::Kind::kAlarm));
  sessions.SetAlarm(sid, 10ms, SessionStore::From::kDelivery);
  BOOST_TEST((sessions.LookInto(sid, "a", Looking::kAgain, "").kind == Look::Kind::kWait));
  std::this_thread::sleep_for(20ms);
  BOOST_TEST((sessions.LookInto(sid, "a", Looking::kAgain, "").kind == Look::Kind::kWait));
  sessions.Push(sid, {"4x"});
  BOOST_TEST((sessions.LookInto(sid, "a", Looking::kAgain, "").kind == Look::Kind::kPackets));
  std::this_thread::sleep_for(20ms);
  BOOST_TEST((Begin("b") == Look::Kind::kAlarm));
}

BOOST_FIXTURE_TEST_CASE(a_session_that_was_aborted_tells_its_poll_why, WithRedis) {
  BOOST_TEST((Begin("a") == Look::Kind::kWait));
  sessions.Push(sid, {"4x"});
  sessions.Abort(sid, Ending::kUnavailable);
  BOOST_TEST(!sessions.IsLive(sid));
  BOOST_TEST(!sessions.Push(sid, {"4y"}));
  const Look ended = sessions.LookInto(sid, "a", Looking::kAgain, "");
  BOOST_TEST((ended.kind == Look::Kind::kEnded && ended.ending == Ending::kUnavailable));
  BOOST_TEST((Begin("b") == Look::Kind::kUnknown));
}

BOOST_FIXTURE_TEST_CASE(sessions_end_at_their_deadline_and_are_swept_once, WithRedis) {
  BOOST_TEST(sessions.IsLive(sid));
  std::this_thread::sleep_for(550ms);
  BOOST_TEST(!sessions.IsLive(sid));
  bool is_found = false;
  while (const auto ended = sessions.TakeEnded()) {
    if (ended->sid != sid) continue;
    BOOST_TEST(!is_found);
    is_found = true;
    BOOST_TEST(ended->was_silent);
    BOOST_TEST(ended->fields.size() == 2);
  }
  BOOST_TEST(is_found);
}

BOOST_FIXTURE_TEST_CASE(there_are_at_most_so_many_sessions, WithRedis) {
  SessionRules none = kRules;
  none.max_sessions = 1;
  BOOST_TEST(tests::CodeOf([&] { sessions.Open(none, "", {}); }) == "too_many_sessions");
}

BOOST_AUTO_TEST_CASE(a_device_has_its_newest_sessions_and_pauses_that_grow) {
  Redis redis(tests::RedisUrl());
  PresenceStore presence(redis, UserId{-1}, DeviceId{std::rand()});
  BOOST_TEST(presence.Sessions().empty());
  BOOST_TEST(presence.Join("a", 2).empty());
  BOOST_TEST(presence.Join("b", 2).empty());
  BOOST_TEST((presence.Join("c", 2) == std::vector<std::string>{"a"}));
  BOOST_TEST((presence.Sessions() == std::vector<std::string>{"c", "b"}));
  presence.Leave("c");
  BOOST_TEST((presence.Sessions() == std::vector<std::string>{"b"}));
  presence.Leave("b");
  BOOST_TEST(!presence.IsPaused());
  presence.Pause();
  BOOST_TEST(presence.IsPaused());
  presence.EndPause();
  BOOST_TEST(!presence.IsPaused());
}
