// handlers/anime/jikan against the stand-in of its upstream, with a real Redis at REDIS_URL.
#include "handlers/anime/jikan.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "handlers/anime/settings.h"
#include "handlers/base/single_flight.h"
#include "tests/support/ignore_sigpipe.h"
#include "tests/support/inputs.h"
#include "tests/support/known_redis.h"
#include "tests/support/sanitizer.h"
#include "tests/support/stand_in.h"

using namespace syncline;
using namespace syncline::anime;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

using tests::IgnoreSigpipe;
BOOST_TEST_GLOBAL_FIXTURE(IgnoreSigpipe);

Config ConfigFor(const std::string& url, bool is_wide) {
  Config config;
  config.outbound_networks = "127.0.0.0/8";
  auto& settings = config.Of<anime::Settings>();
  settings.anime_jikan_url = url;
  if (is_wide)
    settings.anime_jikan_per_second = settings.anime_jikan_per_minute = settings.anime_jikan_jobs_per_minute =
        1000;
  return config;
}

// One caller: what a slot or a thread of the worker has.
struct Caller {
  Caller(const Config& config, const std::string& redis_url)
      : redis(redis_url),
        database(config.DatabaseSettings("test")),
        context(config, database, redis, "test") {}
  Redis redis;
  sql::Database database;
  Context context;
};

// A worker's side of a job, which only waits.
class Control : public JobControl {
 public:
  void Progress(std::int64_t, std::int64_t, std::string_view) override {}
  void FinishIn(sql::Tx&) override {}
  void Pause(std::chrono::milliseconds time) override {
    if (is_stopped) throw JobStopped("leaving");
    paused += time;
    std::this_thread::sleep_for(std::min<std::chrono::milliseconds>(time, 1s));
  }
  std::chrono::milliseconds paused{0};
  std::atomic<bool> is_stopped{false};
};

struct Fixture {
  Fixture() { Forget(); }
  // The upstream as if nothing had happened.
  void Forget() {
    tests::MakeKnown(caller.redis);
    for (const char* part : {"sent", "background", "failures", "state"})
      caller.redis.Command({"DEL", std::string("syncline:upstream:jikan:") + part});
  }
  std::string CodeOf(std::int64_t mal_id) {
    return tests::CodeOf([&] { Jikan(caller.context).Title(mal_id); });
  }
  tests::StandIn stand_in{{"--per-second", "1000", "--per-minute", "100000"}};
  Config config = ConfigFor(stand_in.url(), true);
  Caller caller{config, tests::RedisUrl()};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(jikan, Fixture)

BOOST_AUTO_TEST_CASE(a_title_is_found_with_its_validators_and_another_one_is_not) {
  const auto found = Jikan(caller.context).Title(90001);
  BOOST_TEST((found.kind == JikanTitleAnswer::Kind::kFound));
  BOOST_TEST(found.title.mal_id == 90001);
  BOOST_TEST(found.title.genres.size() == 4U);
  BOOST_TEST(!found.validators.last_modified.empty());
  BOOST_TEST((found.expires > std::chrono::system_clock::now() + 23h));
  BOOST_TEST((Jikan(caller.context).Title(5).kind == JikanTitleAnswer::Kind::kNotFound));
  // Not found is an answer: asked once.
  BOOST_TEST(stand_in.Count("/anime/5") == 1);
}

BOOST_AUTO_TEST_CASE(every_odd_title_is_taken_or_refused_whole) {
  Jikan jikan(caller.context);
  for (std::int64_t mal_id = 91001; mal_id <= 91018; ++mal_id) {
    if (mal_id == 91017 || mal_id == 91004) {  // has no title; has no lists of genres
      BOOST_TEST(CodeOf(mal_id) == "upstream_malformed");
    } else {
      BOOST_TEST(jikan.Title(mal_id).title.mal_id == mal_id);
    }
  }
  BOOST_TEST(jikan.Title(91001).title.title.size() == 400U);
  BOOST_TEST(!jikan.Title(91002).title.title_english);
  BOOST_TEST(jikan.Title(91015).title.synopsis->size() == 2'999'999U);
  BOOST_TEST(*jikan.Title(91016).title.year == 2025);
}

BOOST_AUTO_TEST_CASE(lists_searches_and_genres_come_as_pages) {
  Jikan jikan(caller.context);
  const JikanPage top = jikan.Top({.limit = 5});
  BOOST_TEST((top.titles.size() == 5U && top.has_next));
  BOOST_TEST(jikan.Top({.page = 13}).titles.empty());
  BOOST_TEST(jikan.Top({.filter = "airing"}).titles.size() == 25U);
  BOOST_TEST(jikan.Search({.text = "harbour", .limit = 3}).titles.size() == 3U);
  BOOST_TEST(!jikan.SeasonNow().titles.empty());
  BOOST_TEST(!jikan.SeasonUpcoming().titles.empty());
  BOOST_TEST(jikan.Genres(GenreKind::kTheme).size() == 5U);
  BOOST_TEST(tests::CodeOf([&] { jikan.Top({.limit = 26}); }) == "upstream_refused");
}

BOOST_AUTO_TEST_CASE(a_search_is_encoded_once_and_without_what_the_upstream_refuses) {
  Jikan jikan(caller.context);
  jikan.Search({.text = "Fate/Apocrypha & K+1"});
  BOOST_TEST(stand_in.Count("?q=Fate%2FApocrypha%20%26%20K%2B1&page=1&limit=25") == 1);
  jikan.Search({.text = std::string("a\nb\tc\0d%0Ae%0ax%0", 18)});
  BOOST_TEST(stand_in.Count("?q=a%20b%20cd%20e%20x%250&") == 1);
  std::string kanji;
  for (int i = 0; i < 300; ++i) kanji += "\xe6\x9c\x88";
  jikan.Search({.text = kanji});
  std::string expected = "?q=";
  for (int i = 0; i < 255; ++i) expected += "%E6%9C%88";
  BOOST_TEST(stand_in.Count(expected + "&") == 1);
}

BOOST_AUTO_TEST_CASE(a_current_copy_is_not_sent_again) {
  stand_in.Control("POST", "/ctl/reset");
  Jikan jikan(caller.context);
  BOOST_TEST(
      (jikan.Title(90001, {.etag = "\"old\"", .last_modified = ""}).kind == JikanTitleAnswer::Kind::kFound));
  stand_in.Rule(R"({"kind": "status", "code": 304})", 1);
  BOOST_TEST((jikan.Title(90001, {.etag = "\"old\"", .last_modified = ""}).kind ==
              JikanTitleAnswer::Kind::kNotModified));
  BOOST_TEST(stand_in.Control("GET", "/ctl/log").find(R"("If-None-Match": "\"old\"")") != std::string::npos);
  stand_in.Rule(R"({"kind": "status", "code": 304})", 1);
  BOOST_TEST(CodeOf(90001) == "upstream_malformed");
}

BOOST_AUTO_TEST_CASE(a_failure_is_retried_and_what_cannot_succeed_is_not) {
  stand_in.Rule(R"({"kind": "status", "code": 500})", 2);
  stand_in.Rule(R"({"kind": "html", "code": 504})", 1);
  stand_in.Rule(R"({"kind": "reset", "where": "body"})", 1);
  BOOST_TEST((Jikan(caller.context).Title(90001).kind == JikanTitleAnswer::Kind::kFound));
  BOOST_TEST(stand_in.Count("/anime/90001") == 5);
  stand_in.Rule(R"({"kind": "status", "code": 400, "type": "ValidationException"})", 1);
  BOOST_TEST(CodeOf(90002) == "upstream_refused");
  BOOST_TEST(stand_in.Count("/anime/90002") == 1);
}

BOOST_AUTO_TEST_CASE(every_fault_has_its_reason_and_none_is_a_title) {
  const std::pair<const char*, const char*> faults[] = {
      {R"({"kind": "status", "code": 500})", "upstream_failed"},
      {R"({"kind": "status", "code": 503, "type": "ServiceUnavailableException"})", "upstream_failed"},
      {R"({"kind": "ok_error"})", "upstream_failed"},
      {R"({"kind": "html", "code": 502})", "upstream_failed"},
      {R"({"kind": "html", "code": 404})", "upstream_failed"},
      {R"({"kind": "html", "code": 200})", "upstream_malformed"},
      {R"({"kind": "malformed", "form": "truncated"})", "upstream_malformed"},
      {R"({"kind": "malformed", "form": "trailing_garbage"})", "upstream_malformed"},
      {R"({"kind": "malformed", "form": "not_json"})", "upstream_malformed"},
      {R"({"kind": "malformed", "form": "empty"})", "upstream_malformed"},
      {R"({"kind": "malformed", "form": "bad_utf8"})", "upstream_malformed"},
      {R"({"kind": "malformed", "form": "missing_data"})", "upstream_failed"},
      {R"({"kind": "malformed", "form": "wrong_string"})", "upstream_failed"},
      {R"({"kind": "malformed", "form": "wrong_null"})", "upstream_failed"},
      {R"({"kind": "malformed", "form": "nan"})", "upstream_malformed"},
      {R"({"kind": "malformed", "form": "deep"})", "upstream_malformed"},
      {R"({"kind": "malformed", "form": "wrong_list"})", "upstream_malformed"},
      {R"({"kind": "malformed", "form": "no_title"})", "upstream_malformed"},
      {R"({"kind": "wrong_id"})", "upstream_malformed"},
      {R"({"kind": "reset", "where": "before"})", "upstream_connect"},
      {R"({"kind": "reset", "where": "headers"})", "upstream_bad_response"},
      {R"({"kind": "reset", "where": "body"})", "upstream_bad_response"},
      {R"({"kind": "bad_gzip"})", "upstream_bad_response"},
      {R"({"kind": "gzip_bomb"})", "upstream_too_large"},
      {R"({"kind": "huge"})", "upstream_too_large"},
      {R"({"kind": "redirect", "to": "http://10.0.0.1/v4/anime/90002"})", "upstream_redirect"},
      {R"({"kind": "redirect", "to": "/v4/anime/90003"})", "upstream_redirect"},
  };
  for (const auto& [action, code] : faults) {
    Forget();
    stand_in.Control("DELETE", "/ctl/rules");
    stand_in.Rule(action);
    BOOST_TEST(CodeOf(90002) == code, action);
  }
}

BOOST_AUTO_TEST_CASE(a_slow_upstream_costs_a_person_ten_seconds_at_most) {
  for (const char* action : {R"({"kind": "hang"})", R"({"kind": "slow", "drip": 20})"}) {
    Forget();
    stand_in.Control("DELETE", "/ctl/rules");
    stand_in.Rule(action);
    const auto begin = Clock::now();
    BOOST_TEST(CodeOf(90002) != "");
    BOOST_TEST((Clock::now() - begin > 5s && Clock::now() - begin < 11s));
  }
}

BOOST_AUTO_TEST_CASE(after_a_429_nobody_asks_until_the_pause_is_over) {
  stand_in.Rule(R"({"kind": "rate_limited", "form": "edge", "retry_after": 77})", 1);
  const auto refused = [&] {
    try {
      Jikan(caller.context).Title(90001);
    } catch (const Error& error) {
      BOOST_TEST(error.code() == "upstream_busy");
      return error.retry_after().value_or(0s);
    }
    return 0s;
  };
  BOOST_TEST((refused() == 77s));
  BOOST_TEST((refused() > 70s));
  BOOST_TEST(stand_in.Count() == 1);
  Control control;
  BOOST_CHECK_EXCEPTION(Jikan(caller.context, control).Title(90001), JobPutOff,
                        [](const JobPutOff& off) { return off.delay() > 40s; });
  BOOST_TEST(stand_in.Count() == 1);
  // It has waited first: a queue of such jobs would else be claimed and put back without a pause.
  BOOST_TEST((control.paused == 30s));
}

BOOST_AUTO_TEST_CASE(while_the_upstream_is_down_calls_are_refused_at_once) {
  stand_in.Rule(R"({"kind": "status", "code": 500})");
  for (int i = 0; i < 2; ++i) BOOST_TEST(CodeOf(90001) == "upstream_failed");
  const int sent = stand_in.Count();
  BOOST_TEST(sent == 10);
  const auto begin = Clock::now();
  for (int i = 0; i < 100; ++i) BOOST_TEST(CodeOf(90001) == "upstream_busy");
  BOOST_TEST((Clock::now() - begin < 2s));
  BOOST_TEST(stand_in.Count() == sent);
  // The upstream is back, and the breaker's time is over.
  stand_in.Control("DELETE", "/ctl/rules");
  caller.redis.Command({"HSET", "syncline:upstream:jikan:state", "open", "1"});
  BOOST_TEST(CodeOf(90001) == "");
  BOOST_TEST(CodeOf(90001) == "");
}

BOOST_AUTO_TEST_CASE(a_job_that_must_stop_stops_while_it_waits) {
  stand_in.Rule(R"({"kind": "hang"})");
  Control control;
  std::thread stopper([&] {
    std::this_thread::sleep_for(300ms);
    control.is_stopped = true;
  });
  const auto begin = Clock::now();
  BOOST_CHECK_THROW(Jikan(caller.context, control).Title(90001), JobStopped);
  BOOST_TEST((Clock::now() - begin < 2s));
  stopper.join();
}

BOOST_AUTO_TEST_CASE(a_request_gives_up_when_its_client_has_gone_or_its_deadline_passes) {
  stand_in.Rule(R"({"kind": "hang"})");
  const auto begin = Clock::now();
  caller.context.SetClient([&] { return Clock::now() - begin > 300ms; });
  BOOST_TEST(CodeOf(90001) == "client_gone");
  caller.context.SetClient({});
  caller.context.SetDeadline(Clock::now() + 300ms);
  BOOST_TEST(CodeOf(90001) == "upstream_busy");
  BOOST_TEST((Clock::now() - begin < 3s));
}

BOOST_AUTO_TEST_CASE(without_redis_nobody_asks) {
  Caller away(config, "unix:///nonexistent/redis.sock");
  BOOST_TEST(tests::CodeOf([&] { Jikan(away.context).Title(90001); }) == "redis_unavailable");
  Control control;
  BOOST_CHECK_THROW(Jikan(away.context, control).Title(90001), JobPutOff);
  BOOST_TEST(stand_in.Count() == 0);
}

BOOST_AUTO_TEST_CASE(an_address_of_this_machine_must_be_allowed) {
  config.outbound_networks = "";
  BOOST_TEST(CodeOf(90001) == "upstream_refused_address");
  BOOST_TEST(stand_in.Count() == 0);
}

BOOST_AUTO_TEST_CASE(a_thousand_misses_of_one_title_are_one_request) {
  constexpr int kThreads = tests::kIsSanitized ? 3 : 63;
  stand_in.Rule(R"({"kind": "slow", "delay_headers": 0.5})");
  caller.redis.Command({"DEL", "syncline:flight:" + JikanTitleKey(90005) + ":outcome"});
  std::vector<pid_t> children;
  for (int process = 0; process < 16; ++process) {
    const pid_t pid = fork();
    if (pid == 0) {
      std::atomic<int> right{0};
      std::vector<std::thread> threads;
      for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&] {
          Caller own(config, tests::RedisUrl());
          std::string outcome;
          const auto ask = [&] {
            outcome = DoOnce(
                own.redis, JikanTitleKey(90005), {.waiters = 100},
                [&]() -> FlightOutcome {
                  const auto answer = Jikan(own.context).Title(90005);
                  return {.text = answer.title.title, .keep = 5s};
                },
                WaitingFor(own.context));
          };
          // A thousand at once may be too many for Redis to answer in time.
          while (tests::CodeOf(ask) == "redis_unavailable") std::this_thread::sleep_for(100ms);
          right += outcome.empty() ? 0 : 1;
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
  BOOST_TEST(stand_in.Count("/anime/90005") == 1);
}

BOOST_AUTO_TEST_CASE(the_upstream_sees_a_well_behaved_client) {
  Jikan(caller.context).Title(90001);
  const std::string log = stand_in.Control("GET", "/ctl/log");
  BOOST_TEST(log.find(R"("Accept-Encoding": "gzip")") != std::string::npos);
  BOOST_TEST(log.find(R"("User-Agent": "Syncline)") != std::string::npos);
  BOOST_TEST(log.find("Authorization") == std::string::npos);
  BOOST_TEST(log.find("Cookie") == std::string::npos);
}

// Takes more than a minute, because the windows are the real ones: run it by its name. upstream_test has it with short ones.
BOOST_AUTO_TEST_CASE(with_default_settings_no_limit_is_exceeded_in_seventy_seconds,
                     *boost::unit_test::disabled()) {
  tests::StandIn strict({"--strict"});
  const Config ordinary = ConfigFor(strict.url(), false);
  std::vector<pid_t> children;
  for (int process = 0; process < 16; ++process) {
    const pid_t pid = fork();
    if (pid == 0) {
      Caller own(ordinary, tests::RedisUrl());
      Control control;
      int i = process;
      for (const auto end = Clock::now() + 70s; Clock::now() < end; ++i) {
        try {
          if (process < 12) {
            Jikan(own.context).Title(90001 + i % 300);
          } else {
            Jikan(own.context, control).Top({.page = 1 + i % 10});
          }
        } catch (const std::exception&) {
          std::this_thread::sleep_for(50ms);
        }
      }
      _exit(0);
    }
    children.push_back(pid);
  }
  for (const pid_t child : children) waitpid(child, nullptr, 0);
  BOOST_TEST(strict.Violations() == 0);
  BOOST_TEST(strict.Peak(1'000) <= 3);
  BOOST_TEST(strict.Peak(60'000) <= 60);
  BOOST_TEST(strict.Count() >= 60);
  BOOST_TEST_MESSAGE(strict.Count() << " requests in 70 s");
}

BOOST_AUTO_TEST_SUITE_END()
