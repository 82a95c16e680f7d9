// handlers/base/upstream against a real Redis at REDIS_URL: the budget, the pause and the breaker that processes share.
#include "handlers/base/upstream.h"

#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/ignore_sigpipe.h"
#include "tests/support/inputs.h"
#include "tests/support/known_redis.h"
#include "tests/support/raw_server.h"
#include "tests/support/stand_in.h"

using namespace syncline;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Kind = Upstream::Admission::Kind;

namespace {

using tests::IgnoreSigpipe;
BOOST_TEST_GLOBAL_FIXTURE(IgnoreSigpipe);

// A new upstream with quick windows: 3 in 300 ms, 12 in 3 s; one background request in 300 ms, 4 in 3 s.
struct Fixture {
  Fixture() { tests::MakeKnown(redis); }
  static std::string FreshName() {
    static std::random_device random;
    return "test" + std::to_string(random());
  }
  static UpstreamRules Quick() {
    UpstreamRules rules;
    rules.second = 300ms;
    rules.minute = 3s;
    rules.per_minute = 12;
    rules.background_per_minute = 4;
    rules.background_reserve = 0;
    rules.failures = 3;
    rules.open = 400ms;
    return rules;
  }
  Upstream Of(UpstreamRules rules = Quick()) { return {redis, name, rules}; }
  Upstream::Admission Ask(Urgency urgency = Urgency::kInteractive, std::chrono::milliseconds lease = 10s) {
    return Of().Ask(urgency, lease, false);
  }
  std::string Grant(Urgency urgency = Urgency::kInteractive, std::chrono::milliseconds lease = 10s) {
    const auto admission = Ask(urgency, lease);
    BOOST_REQUIRE(admission.kind == Kind::kGranted);
    return admission.id;
  }
  // Waits for a turn.
  std::string Next(Urgency urgency = Urgency::kInteractive) {
    for (;;) {
      const auto admission = Ask(urgency);
      if (admission.kind == Kind::kGranted) return admission.id;
      std::this_thread::sleep_for(std::min(admission.wait, std::chrono::milliseconds(50)));
    }
  }
  void Answer(const std::string& id) { Of().Report(id, {}); }
  void Fail(const std::string& id) { Of().Report(id, {.kind = Verdict::Kind::kFailed}); }
  // Without windows, so that only the breaker or the pause refuses.
  UpstreamRules Wide() const {
    UpstreamRules rules = Quick();
    rules.per_second = rules.per_minute = rules.background_per_minute = 10'000;
    return rules;
  }
  Redis redis{tests::RedisUrl()};
  std::string name = FreshName();
};

// One that no other test uses.
struct OwnRedis {
  OwnRedis() {
    std::filesystem::create_directory(dir);
    if (pid = fork(); pid != 0) return;
    execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", (dir / "s").c_str(), "--save", "",
           "--logfile", "/dev/null", "--dir", dir.c_str(), nullptr);
    _exit(127);
  }
  ~OwnRedis() {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    std::filesystem::remove_all(dir);
  }
  static void WaitFor(Redis& redis) {
    for (int i = 0; i < 200 && tests::CodeOf([&] { redis.Ping(); }) != ""; ++i)
      std::this_thread::sleep_for(20ms);
  }
  std::filesystem::path dir =
      std::filesystem::temp_directory_path() / ("syncline-redis." + std::to_string(getpid()));
  std::string url = "unix://" + (dir / "s").string();
  pid_t pid = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(upstream, Fixture)

BOOST_AUTO_TEST_CASE(three_are_granted_and_the_fourth_waits_for_a_second_after_the_first_answer) {
  for (int i = 0; i < 3; ++i) Answer(Grant());
  const auto fourth = Ask();
  BOOST_TEST((fourth.kind == Kind::kWait && fourth.wait > 200ms && fourth.wait <= 301ms));
  std::this_thread::sleep_for(fourth.wait);
  Answer(Grant());
}

BOOST_AUTO_TEST_CASE(a_request_under_way_counts_until_a_second_after_its_answer) {
  const std::string first = Grant();
  Answer(Grant());
  Answer(Grant());
  std::this_thread::sleep_for(400ms);
  // The windows of the answered ones are over.
  Answer(Grant());
  Answer(Grant());
  BOOST_TEST((Ask().kind == Kind::kWait));
  std::this_thread::sleep_for(100ms);
  Answer(first);
  BOOST_TEST((Ask().kind == Kind::kWait));
}

BOOST_AUTO_TEST_CASE(a_request_whose_process_died_counts_until_its_lease_ends) {
  for (int i = 0; i < 3; ++i) Grant(Urgency::kInteractive, 500ms);
  std::this_thread::sleep_for(450ms);
  BOOST_TEST((Ask().kind == Kind::kWait));
  std::this_thread::sleep_for(400ms);
  Grant();
}

BOOST_AUTO_TEST_CASE(a_minute_has_its_own_limit) {
  UpstreamRules rules = Quick();
  rules.per_second = 1'000;
  for (int i = 0; i < 12; ++i) {
    const auto one = Of(rules).Ask(Urgency::kInteractive, 1s, false);
    BOOST_REQUIRE(one.kind == Kind::kGranted);
    Answer(one.id);
  }
  const auto next = Of(rules).Ask(Urgency::kInteractive, 1s, false);
  BOOST_TEST((next.kind == Kind::kWait && next.wait > 2s && next.wait <= 3001ms));
}

BOOST_AUTO_TEST_CASE(what_was_not_sent_does_not_count) {
  for (int i = 0; i < 20; ++i) Of().Withdraw(Grant());
}

BOOST_AUTO_TEST_CASE(background_work_has_a_narrower_budget) {
  Answer(Grant(Urgency::kBackground));
  BOOST_TEST((Ask(Urgency::kBackground).kind == Kind::kWait));
  Answer(Grant());
  for (int i = 0; i < 3; ++i) Answer(Next(Urgency::kBackground));
  std::this_thread::sleep_for(350ms);
  const auto fifth = Ask(Urgency::kBackground);
  BOOST_TEST((fifth.kind == Kind::kWait && fifth.wait > 1s));
  Answer(Grant());
}

BOOST_AUTO_TEST_CASE(background_work_has_one_request_under_way) {
  const std::string first = Grant(Urgency::kBackground);
  std::this_thread::sleep_for(700ms);
  BOOST_TEST((Ask(Urgency::kBackground).kind == Kind::kWait));
  Answer(first);
  std::this_thread::sleep_for(350ms);
  Answer(Grant(Urgency::kBackground));
}

BOOST_AUTO_TEST_CASE(background_work_lets_those_who_wait_go_first) {
  for (int i = 0; i < 3; ++i) Answer(Grant());
  BOOST_TEST((Of().Ask(Urgency::kInteractive, 1s, true).kind == Kind::kWait));
  std::this_thread::sleep_for(350ms);
  BOOST_TEST((Ask(Urgency::kBackground).kind == Kind::kWait));
  Answer(Grant());
  std::this_thread::sleep_for(500ms);
  Answer(Grant(Urgency::kBackground));
}

BOOST_AUTO_TEST_CASE(people_leave_background_work_that_waits_its_share_of_the_minute) {
  UpstreamRules rules = Quick();
  rules.per_second = rules.background_per_second = 1'000;
  rules.background_reserve = 2;
  auto upstream = Of(rules);
  const auto take = [&](Urgency urgency) {
    int granted = 0;
    for (;; ++granted) {
      const auto one = upstream.Ask(urgency, 1s, true);
      if (one.kind != Kind::kGranted) return granted;
      Answer(one.id);
    }
  };
  // Nobody else wants anything: all of it.
  BOOST_TEST(take(Urgency::kInteractive) == 12);
  BOOST_TEST(take(Urgency::kBackground) == 0);
  std::this_thread::sleep_for(3100ms);
  BOOST_TEST(take(Urgency::kInteractive) == 10);
  // Although people wait.
  BOOST_TEST(take(Urgency::kBackground) == 2);
  std::this_thread::sleep_for(3100ms);
  // Beyond its share it lets them go first.
  BOOST_TEST((upstream.Ask(Urgency::kBackground, 1s, true).kind == Kind::kGranted));
}

BOOST_AUTO_TEST_CASE(a_429_pauses_everybody_and_halves_background_work) {
  Of().Report(Grant(), {.kind = Verdict::Kind::kThrottled});
  for (const Urgency urgency : {Urgency::kInteractive, Urgency::kBackground}) {
    const auto next = Ask(urgency);
    BOOST_TEST((next.kind == Kind::kWait && next.wait > 4900ms && next.wait <= 5s));
  }
  redis.Command({"HDEL", "syncline:upstream:" + name + ":state", "pause"});
  for (int i = 0; i < 2; ++i) Answer(Next(Urgency::kBackground));
  std::this_thread::sleep_for(350ms);
  const auto third = Ask(Urgency::kBackground);
  BOOST_TEST((third.kind == Kind::kWait && third.wait > 1s));
}

BOOST_AUTO_TEST_CASE(each_429_in_a_row_pauses_longer_but_those_under_way_together_count_once) {
  const Verdict throttled{.kind = Verdict::Kind::kThrottled};
  const std::string state = "syncline:upstream:" + name + ":state";
  const std::string a = Grant(), b = Grant(), c = Grant();
  for (const std::string& id : {a, b, c}) Of().Report(id, throttled);
  BOOST_TEST((Ask().wait <= 5s));
  for (const auto& expected : {10s, 20s, 40s, 60s, 60s}) {
    redis.Command({"HDEL", state, "pause"});
    Of(Wide()).Report(Of(Wide()).Ask(Urgency::kInteractive, 1s, false).id, throttled);
    const auto next = Ask();
    BOOST_TEST((next.wait > expected - 100ms && next.wait <= expected));
  }
  redis.Command({"HDEL", state, "pause"});
  Of(Wide()).Report(Of(Wide()).Ask(Urgency::kInteractive, 1s, false).id, {});
  Of(Wide()).Report(Of(Wide()).Ask(Urgency::kInteractive, 1s, false).id, throttled);
  BOOST_TEST((Ask().wait <= 5s));
}

BOOST_AUTO_TEST_CASE(the_pause_that_the_upstream_asks_for_is_kept) {
  Of().Report(Grant(), {.kind = Verdict::Kind::kThrottled, .retry_after = 77s});
  BOOST_TEST((Ask().wait > 76s));
}

BOOST_AUTO_TEST_CASE(failures_in_a_row_open_the_breaker_and_one_probe_decides) {
  auto wide = Of(Wide());
  const auto grant = [&] {
    const auto one = wide.Ask(Urgency::kInteractive, 500ms, false);
    BOOST_REQUIRE(one.kind == Kind::kGranted);
    return one.id;
  };
  const auto is_open = [&] { return wide.Ask(Urgency::kInteractive, 500ms, false).kind == Kind::kOpen; };
  // An answer in between: not in a row.
  Fail(grant());
  Fail(grant());
  Answer(grant());
  Fail(grant());
  Fail(grant());
  BOOST_TEST(!is_open());
  Fail(grant());
  BOOST_TEST(is_open());
  std::this_thread::sleep_for(450ms);
  const std::string probe = grant();
  BOOST_TEST(is_open());
  wide.Report(probe, {.kind = Verdict::Kind::kFailed});
  BOOST_TEST(is_open());
  std::this_thread::sleep_for(450ms);
  // The process with the probe dies.
  grant();
  BOOST_TEST(is_open());
  std::this_thread::sleep_for(550ms);
  Answer(grant());
  for (int i = 0; i < 5; ++i) Answer(grant());
}

BOOST_AUTO_TEST_CASE(a_failure_from_before_the_breaker_opened_does_not_keep_it_open) {
  auto wide = Of(Wide());
  const auto ask = [&] { return wide.Ask(Urgency::kInteractive, 5s, false); };
  const std::string late = ask().id;
  for (int i = 0; i < 3; ++i) Fail(ask().id);
  std::this_thread::sleep_for(300ms);
  Fail(late);
  std::this_thread::sleep_for(150ms);
  BOOST_TEST((ask().kind == Kind::kGranted));
}

BOOST_AUTO_TEST_CASE(one_upstream_knows_nothing_of_another) {
  for (int i = 0; i < 3; ++i) Answer(Grant());
  name = FreshName();
  Answer(Grant());
}

BOOST_AUTO_TEST_CASE(without_redis_nothing_is_sent) {
  tests::RawServer server([](int fd, int) { tests::ReadHead(fd); });
  Redis away("unix:///nonexistent/redis.sock");
  HttpClient client("127.0.0.0/8");
  const HttpRequest request{.url = *ParseHttpUrl("http://127.0.0.1:" + std::to_string(server.port()) + "/")};
  const auto call = [&] {
    Upstream(away, name, Quick())
        .Call(
            client, request, Urgency::kInteractive, RulesFor(Urgency::kInteractive),
            [](const HttpResponse&) { return Verdict{}; }, [](std::chrono::milliseconds) {});
  };
  BOOST_TEST(tests::CodeOf(call) == "redis_unavailable");
  BOOST_TEST(server.connections() == 0);
}

BOOST_AUTO_TEST_CASE(a_redis_that_lost_its_data_grants_nothing_until_the_last_minute_is_over) {
  OwnRedis own;
  Redis fresh(own.url);
  own.WaitFor(fresh);
  const auto began = Clock::now();
  Upstream upstream(fresh, name, Quick());
  BOOST_TEST((upstream.Ask(Urgency::kInteractive, 1s, false).kind == Kind::kWait));
  while (upstream.Ask(Urgency::kInteractive, 1s, false).kind != Kind::kGranted && Clock::now() - began < 10s)
    std::this_thread::sleep_for(50ms);
  BOOST_TEST((Clock::now() - began > 2500ms && Clock::now() - began < 6s));
}

BOOST_AUTO_TEST_CASE(a_redis_with_older_data_grants_nothing_until_the_last_minute_is_over) {
  OwnRedis own;
  Redis other(own.url);
  own.WaitFor(other);
  // A replica that has taken over has been up for long. Its data is that of another one, and lags behind.
  std::this_thread::sleep_for(4500ms);
  other.Command({"SET", "syncline:upstream:known", std::string(40, 'a')});
  Upstream upstream(other, name, Quick());
  const auto began = Clock::now();
  BOOST_TEST((upstream.Ask(Urgency::kInteractive, 1s, false).kind == Kind::kWait));
  while (upstream.Ask(Urgency::kInteractive, 1s, false).kind != Kind::kGranted && Clock::now() - began < 10s)
    std::this_thread::sleep_for(50ms);
  BOOST_TEST((Clock::now() - began > 3500ms && Clock::now() - began < 6s));
  // From then on it is known.
  BOOST_TEST((upstream.Ask(Urgency::kInteractive, 1s, false).kind == Kind::kGranted));
}

BOOST_AUTO_TEST_CASE(a_call_that_has_failed_says_so_when_the_next_turn_comes_too_late) {
  tests::RawServer server([](int fd, int) {
    tests::ReadHead(fd);
    tests::SendAll(fd, "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
  UpstreamRules rules = Quick();
  rules.per_second = 1;
  rules.second = 3s;
  HttpClient client("127.0.0.0/8");
  const HttpRequest request{.url = *ParseHttpUrl("http://127.0.0.1:" + std::to_string(server.port()) + "/")};
  CallRules quick = RulesFor(Urgency::kInteractive);
  quick.first_pause = 5ms;
  quick.turn = 500ms;
  const auto call = [&] {
    Of(rules).Call(
        client, request, Urgency::kInteractive, quick,
        [](const HttpResponse&) { return Verdict{.kind = Verdict::Kind::kFailed, .code = "upstream_odd"}; },
        [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); });
  };
  BOOST_TEST(tests::CodeOf(call) == "upstream_odd");
  // Nothing was sent.
  BOOST_TEST(tests::CodeOf(call) == "upstream_busy");
  BOOST_TEST(server.connections() == 1);
}

BOOST_AUTO_TEST_CASE(a_call_retries_what_failed_and_gives_up_after_the_last_attempt) {
  int served = 0;
  tests::RawServer server([&](int fd, int number) {
    tests::ReadHead(fd);
    ++served;
    tests::SendAll(fd, number < 2 ? "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                                  : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
  });
  UpstreamRules rules = Wide();
  rules.failures = 100;
  HttpClient client("127.0.0.0/8");
  const HttpRequest request{.url = *ParseHttpUrl("http://127.0.0.1:" + std::to_string(server.port()) + "/")};
  CallRules quick = RulesFor(Urgency::kInteractive);
  quick.first_pause = 5ms;
  const auto judge = [](const HttpResponse& response) {
    return response.status == 200 ? Verdict{} : Verdict{.kind = Verdict::Kind::kFailed, .reason = "500"};
  };
  const auto wait = [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); };
  const auto call = [&](const std::function<Verdict(const HttpResponse&)>& judged) {
    return Of(rules).Call(client, request, Urgency::kInteractive, quick, judged, wait).body;
  };
  BOOST_TEST(call(judge) == "ok");
  BOOST_TEST(served == 3);
  BOOST_TEST(tests::CodeOf([&] {
               call([](const HttpResponse&) { return Verdict{.kind = Verdict::Kind::kFailed}; });
             }) == "upstream_failed");
  BOOST_TEST(served == 8);
  // A 429 ends it at once; nobody else sends anything either.
  BOOST_TEST(tests::CodeOf([&] {
               call([](const HttpResponse&) { return Verdict{.kind = Verdict::Kind::kThrottled}; });
             }) == "upstream_busy");
  BOOST_TEST(served == 9);
  BOOST_TEST(tests::CodeOf([&] { call(judge); }) == "upstream_busy");
  BOOST_TEST(served == 9);
}

BOOST_AUTO_TEST_CASE(a_caller_who_stops_leaves_no_request_under_way) {
  struct Stopped {};
  tests::RawServer server([](int fd, int) {
    char c = 0;
    while (recv(fd, &c, 1, 0) > 0) {
    }
  });
  HttpClient client("127.0.0.0/8");
  const HttpRequest request{.url = *ParseHttpUrl("http://127.0.0.1:" + std::to_string(server.port()) + "/")};
  for (int i = 0; i < 4; ++i) {
    const auto begin = Clock::now();
    const auto call = [&] {
      Of().Call(
          client, request, Urgency::kInteractive, RulesFor(Urgency::kInteractive),
          [](const HttpResponse&) { return Verdict{}; },
          [&](std::chrono::milliseconds time) {
            std::this_thread::sleep_for(time);
            if (time == 0ms && Clock::now() - begin > 50ms) throw Stopped();
          });
    };
    BOOST_CHECK_THROW(call(), Stopped);
    BOOST_TEST((Clock::now() - begin < 1500ms));
  }
}

BOOST_AUTO_TEST_CASE(sixteen_processes_never_exceed_the_budget) {
  tests::StandIn stand_in({"--strict", "--second", "0.3", "--minute", "3", "--per-minute", "12"});
  const HttpRequest request{.url = *ParseHttpUrl(stand_in.url() + "/anime/90001")};
  std::vector<pid_t> children;
  for (int i = 0; i < 16; ++i) {
    const pid_t pid = fork();
    if (pid == 0) {
      Redis own(tests::RedisUrl());
      HttpClient client("127.0.0.0/8");
      const Urgency urgency = i < 12 ? Urgency::kInteractive : Urgency::kBackground;
      for (const auto end = Clock::now() + 12s; Clock::now() < end;) {
        try {
          Upstream(own, name, Quick())
              .Call(
                  client, request, urgency, RulesFor(urgency), [](const HttpResponse&) { return Verdict{}; },
                  [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); });
        } catch (const Error&) {
        }
      }
      _exit(0);
    }
    children.push_back(pid);
  }
  for (const pid_t child : children) waitpid(child, nullptr, 0);
  BOOST_TEST(stand_in.Violations() == 0);
  BOOST_TEST(stand_in.Peak(300) <= 3);
  BOOST_TEST(stand_in.Peak(3'000) <= 12);
  // And uses it: at least three quarters of what four windows allow.
  BOOST_TEST(stand_in.Count() >= 36);
  BOOST_TEST_MESSAGE(stand_in.Count() << " requests in 12 s");
}

BOOST_AUTO_TEST_SUITE_END()
