// A complete Worker in this process, against a real database: bodies see what the store promises, and the
// worker survives the loss of its connections.
#include "handlers/jobs/worker.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <functional>
#include <thread>

#include "handlers/base/context.h"
#include "handlers/base/log.h"
#include "handlers/jobs/job_store.h"
#include "sql/database.h"
#include "tests/support/test_database.h"

using namespace syncline;
using namespace std::chrono_literals;
using tests::TestDatabase;

namespace {

// State shared with the bodies below. Job args are not parsed: each kind does one thing.
std::atomic<int> runs{0}, stops{0}, attempt_seen{0};
std::atomic<std::int64_t> user_seen{-1};
std::atomic<bool> go_on{false};

// Reports progress until stopped or until go_on, with a pause in place of real work.
void Hold(const Job& job, Context&, JobControl& control) {
  ++runs;
  attempt_seen = job.attempt;
  try {
    for (int step = 1; !go_on; ++step) {
      control.Progress(step, 100, "holding");
      std::this_thread::sleep_for(2ms);
    }
  } catch (const JobStopped&) {
    ++stops;
    throw;
  }
}
void Count(const Job&, Context& context, JobControl&) {
  ++runs;
  user_seen = static_cast<std::int64_t>(context.user());
}
// Ends right after it has reported.
void Report(const Job&, Context&, JobControl& control) {
  control.Progress(7, 7, "counted");
}
void Throw(const Job&, Context&, JobControl&) {
  ++runs;
  throw std::runtime_error("it does not work");
}
// The first time it cannot work.
void PutOffOnce(const Job& job, Context&, JobControl&) {
  attempt_seen = job.attempt;
  if (++runs == 1) throw JobPutOff("the disk is nearly full", 300ms);
}
void ThrowInt(const Job&, Context&, JobControl&) {
  throw 42;
}
struct Names {
  sql::Tx& tx;
  Names(sql::Tx& tx_in, UserId) : tx(tx_in) {}
};
// Commits its effect and its end in one transaction, and then fails.
void FinishThenThrow(const Job&, Context& context, JobControl& control) {
  ++runs;
  context.Write<Names>([&](Names& names) { control.FinishIn(names.tx); });
  throw std::runtime_error("too late to fail");
}

const JobKind kKinds[] = {
    {.name = "test.hold", .body = Hold},
    {.name = "test.short", .body = Hold, .max_attempts = 1, .expires = 1s},
    {.name = "test.count", .body = Count},
    {.name = "test.quick", .body = Count, .batch = 50},
    {.name = "test.slow_quick", .body = Hold, .batch = 50},
    {.name = "test.rated",
     .body = Count,
     .rate =
         [](const Config&) {
           return RateLimit{4, 300ms};
         }},
    {.name = "test.report", .body = Report},
    {.name = "test.throw", .body = Throw},
    {.name = "test.put_off", .body = PutOffOnce, .max_attempts = 1},
    {.name = "test.throw_int", .body = ThrowInt, .max_attempts = 1},
    {.name = "test.finish", .body = FinishThenThrow},
    {.name = "test.cron", .body = Count, .every = 876'000h},
};

struct Fixture {
  TestDatabase& test = TestDatabase::Instance();
  sql::Database database{test.settings()};
  Config config;

  Fixture() {
    StartLog("error");
    test.Empty("jobs, job_ticks, job_rates, workers");
    config.database_url = test.url();
    runs = stops = attempt_seen = 0;
    user_seen = -1;
    go_on = false;
    // Prevents ticks in tests other than the one for cron.
    test.Run("INSERT INTO job_ticks VALUES ('test.cron', now() + interval '100 years')");
  }

  JobId Enqueue(const NewJob& job) {
    return database.Write([&](sql::Tx& tx) { return EnqueueJob(tx, job); });
  }
  JobRow Row(JobId id) {
    return database.Read([&](sql::Tx& tx) { return JobStore(tx).Find(id).value(); });
  }
  std::string State(JobId id) { return Row(id).state; }
};

void Until(const std::function<bool()>& condition) {
  const auto limit = std::chrono::steady_clock::now() + 30s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("the condition was not reached");
    std::this_thread::sleep_for(2ms);
  }
}

// Runs a worker during its own lifetime.
class Running {
 public:
  Running(Fixture& fixture, Worker::Options options)
      : worker_(fixture.config, kKinds, Named(std::move(options))),
        thread_([this] { ended_ = worker_.Run(); }) {}
  ~Running() { End(); }
  bool End() {
    worker_.Stop();
    if (thread_.joinable()) thread_.join();
    return ended_;
  }

 private:
  static Worker::Options Named(Worker::Options options) {
    static int number = 0;
    options.name = "test-" + std::to_string(++number);
    return options;
  }
  bool ended_ = false;
  Worker worker_;
  std::thread thread_;
};

Worker::Options Fast() {
  return {.threads = 2, .name = "", .lease = 1500ms, .poll = 100ms, .rescue_every = 100ms, .stop_grace = 10s};
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(worker, Fixture)

BOOST_AUTO_TEST_CASE(the_rate_of_a_kind_holds_for_two_workers_together) {
  for (int i = 0; i < 20; ++i) Enqueue({.kind = "test.rated"});
  Worker::Options options = Fast();
  options.threads = 8;
  options.poll = 10ms;
  const Running one(*this, options), two(*this, options);
  Until([&] { return test.Value("SELECT count(*) FROM jobs WHERE state = 'done'") == "20"; });
  // In no 300 ms did more than four begin.
  BOOST_TEST(
      test.Value("SELECT max(began) FROM (SELECT count(*) OVER (ORDER BY started_at RANGE BETWEEN interval "
                 "'299 milliseconds' PRECEDING AND CURRENT ROW) AS began FROM jobs) b") == "4");
}

BOOST_AUTO_TEST_CASE(a_job_that_is_put_off_waits_with_its_reason_and_the_attempt_does_not_count) {
  const JobId id = Enqueue({.kind = "test.put_off"});
  {
    Running running(*this, Fast());
    Until([&] { return State(id) == "waiting"; });
    BOOST_TEST(Row(id).last_error.value_or("") == "the disk is nearly full");
    Until([&] { return State(id) == "done"; });
  }
  BOOST_TEST(runs == 2);
  BOOST_TEST(attempt_seen == 1);
}

BOOST_AUTO_TEST_CASE(a_body_runs_as_the_jobs_user) {
  const JobId id = Enqueue({.kind = "test.count", .user = UserId{77}});
  Running running(*this, Fast());
  Until([&] { return State(id) == "done"; });
  BOOST_TEST(runs == 1);
  BOOST_TEST(user_seen == 77);
}

BOOST_AUTO_TEST_CASE(a_notification_wakes_a_sleeping_worker) {
  auto options = Fast();
  options.poll = 10min;
  Running running(*this, options);
  // LISTEN is executed before the worker sleeps.
  Until([&] {
    return test.Value(
               "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
               " AND query = 'LISTEN syncline_jobs'") == "1";
  });
  const JobId id = Enqueue({.kind = "test.count"});
  Until([&] { return State(id) == "done"; });
}

BOOST_AUTO_TEST_CASE(a_failed_body_is_retried_later_and_its_error_kept) {
  const JobId id = Enqueue({.kind = "test.throw", .user = UserId{1}});
  const JobId other = Enqueue({.kind = "test.throw_int", .user = UserId{1}});
  Running running(*this, Fast());
  Until([&] { return State(id) == "waiting" && State(other) == "dead"; });
  BOOST_TEST(Row(id).last_error.value() == "it does not work");
  BOOST_TEST((Row(id).run_at > std::chrono::system_clock::now() + 2s));
}

BOOST_AUTO_TEST_CASE(progress_is_written_and_cancellation_is_received) {
  const JobId id = Enqueue({.kind = "test.hold", .user = UserId{1}});
  Running running(*this, Fast());
  Until([&] { return Row(id).progress_done > 0; });
  BOOST_TEST(Row(id).progress_total == 100);
  BOOST_TEST(Row(id).progress_message == "holding");
  database.Write([&](sql::Tx& tx) { JobStore(tx).Cancel(id); });
  Until([&] { return State(id) == "cancelled"; });
  BOOST_TEST(stops == 1);
}

BOOST_AUTO_TEST_CASE(the_last_progress_of_a_job_is_kept_when_it_is_done) {
  const JobId id = Enqueue({.kind = "test.report", .user = UserId{1}});
  Running running(*this, Fast());
  Until([&] { return State(id) == "done"; });
  BOOST_TEST(Row(id).progress_done == 7);
  BOOST_TEST(Row(id).progress_message == "counted");
}

BOOST_AUTO_TEST_CASE(the_heartbeat_renews_the_lease_of_a_long_body) {
  const JobId id = Enqueue({.kind = "test.hold", .user = UserId{1}});
  Running running(*this, Fast());
  // The lease is 1.5 s: two renewals must follow the first heartbeat, and nothing was rescued.
  Until([&] { return runs == 1; });
  const auto first = Row(id).heartbeat_at.value();
  Until([&] { return Row(id).heartbeat_at.value() > first + 3s; });
  go_on = true;
  Until([&] { return State(id) == "done"; });
  BOOST_TEST(runs == 1);
  BOOST_TEST(Row(id).attempts == 1);
}

BOOST_AUTO_TEST_CASE(a_stopping_worker_releases_its_jobs_without_a_lost_attempt) {
  const JobId id = Enqueue({.kind = "test.hold", .user = UserId{1}});
  // More jobs than threads.
  for (int i = 0; i < 3; ++i) Enqueue({.kind = "test.hold", .user = UserId{1}});
  Running first(*this, Fast());
  Until([&] { return runs == 2; });
  BOOST_TEST(first.End());
  BOOST_TEST(stops == 2);
  BOOST_TEST(State(id) == "waiting");
  BOOST_TEST(Row(id).attempts == 0);
  BOOST_TEST(test.Value("SELECT count(*) FROM jobs WHERE state = 'running'") == "0");
  BOOST_TEST(test.Value("SELECT count(*) FROM workers") == "0");
  go_on = true;
  Running second(*this, Fast());
  Until([&] { return test.Value("SELECT count(*) FROM jobs WHERE state = 'done'") == "4"; });
  BOOST_TEST(attempt_seen == 1);
}

BOOST_AUTO_TEST_CASE(an_attempt_over_its_time_limit_is_stopped) {
  const JobId id = Enqueue({.kind = "test.short", .user = UserId{1}});
  Running running(*this, Fast());
  Until([&] { return State(id) == "dead"; });
  BOOST_TEST(Row(id).last_error.value().starts_with("exceeded"));
}

BOOST_AUTO_TEST_CASE(a_job_finished_in_its_bodys_transaction_stays_finished) {
  const JobId id = Enqueue({.kind = "test.finish", .user = UserId{1}});
  const JobId after = Enqueue({.kind = "test.count", .user = UserId{1}});
  Running running(*this, Fast());
  Until([&] { return State(after) == "done" && State(id) != "running"; });
  BOOST_TEST(running.End());
  BOOST_TEST(State(id) == "done");
  BOOST_TEST(runs == 2);
}

BOOST_AUTO_TEST_CASE(a_body_that_lost_its_lease_is_stopped_and_the_job_runs_again) {
  const JobId id = Enqueue({.kind = "test.hold", .user = UserId{1}});
  Running running(*this, Fast());
  Until([&] { return runs == 1; });
  // As after a pause of the whole machine: another worker has rescued the job.
  test.Run("UPDATE jobs SET lease_expires_at = now() - interval '1 minute', lease = lease + 1");
  Until([&] { return runs == 2 && stops == 1; });
  go_on = true;
  Until([&] { return State(id) == "done"; });
  BOOST_TEST(Row(id).attempts == 2);
}

BOOST_AUTO_TEST_CASE(quick_jobs_claimed_ahead_all_run) {
  auto options = Fast();
  options.threads = 1;
  for (int i = 0; i < 10; ++i) Enqueue({.kind = "test.quick", .user = UserId{1}});
  Running running(*this, options);
  Until([&] { return test.Value("SELECT count(*) FROM jobs WHERE state = 'done'") == "10"; });
  BOOST_TEST(runs == 10);
}

BOOST_AUTO_TEST_CASE(a_job_claimed_ahead_is_released_if_the_one_before_it_is_slow) {
  auto options = Fast();
  options.threads = 1;
  Enqueue({.kind = "test.slow_quick", .user = UserId{1}});
  const JobId ahead = Enqueue({.kind = "test.slow_quick", .user = UserId{1}});
  Running running(*this, options);
  Until([&] { return runs == 1 && State(ahead) == "running"; });
  Until([&] { return State(ahead) == "queued"; });
  BOOST_TEST(Row(ahead).attempts == 0);
  go_on = true;
  Until([&] { return State(ahead) == "done"; });
}

BOOST_AUTO_TEST_CASE(a_cron_kind_runs_once_a_tick_with_two_workers) {
  test.Run("DELETE FROM job_ticks");
  Running first(*this, Fast());
  Running second(*this, Fast());
  Until([&] { return test.Value("SELECT count(*) FROM jobs WHERE state = 'done'") == "1"; });
  BOOST_TEST(first.End());
  BOOST_TEST(second.End());
  BOOST_TEST(runs == 1);
}

BOOST_AUTO_TEST_CASE(a_worker_survives_the_loss_of_every_connection) {
  const JobId id = Enqueue({.kind = "test.hold", .user = UserId{1}});
  Running running(*this, Fast());
  Until([&] { return runs == 1; });
  test.Run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
      " AND application_name LIKE 'syncline-worker%'");
  go_on = true;
  Until([&] { return State(id) == "done"; });
  BOOST_TEST(runs == 1);
  auto next = Enqueue({.kind = "test.count", .user = UserId{1}});
  Until([&] { return State(next) == "done"; });
}

BOOST_AUTO_TEST_SUITE_END()
