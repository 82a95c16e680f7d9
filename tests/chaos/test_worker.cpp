// test-worker: syncline-worker with other kinds, whose bodies stop at a known place so that a test can kill
// the process there. Only first attempts stop.
//
//   test-worker create                    creates its tables
//   test-worker enqueue KIND COUNT        enqueues COUNT jobs, spread over seven accounts
//   test-worker work [--threads N]        works until SIGTERM
//
// The database is DATABASE_URL.
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <thread>

#include "handlers/base/config.h"
#include "handlers/base/context.h"
#include "handlers/base/daemon.h"
#include "handlers/base/job.h"
#include "handlers/base/log.h"
#include "handlers/jobs/worker.h"
#include "sql/database.h"
#include "tests/chaos/queries.h"

namespace {

using namespace syncline;

constexpr int kAccounts = 7;
constexpr int kEnqueuedTogether = 500;

struct Effects {
  sql::Tx& tx;
  Effects(sql::Tx& tx_in, UserId) : tx(tx_in) {}
};

void Start(const Job& job, Context& context) {
  context.Write<Effects>(
      [&](Effects& e) { e.tx.Execute(sql::chaos::add_start, job.id, job.kind, job.attempt); });
}
void EffectAndEnd(const Job& job, Context& context, JobControl& control) {
  context.Write<Effects>([&](Effects& e) {
    e.tx.Execute(sql::chaos::add_effect, job.id, job.kind);
    control.FinishIn(e.tx);
  });
}
// Returns only for later attempts; throws JobStopped when the worker is stopped.
void Hold(const Job& job, JobControl& control) {
  for (int step = 0; job.attempt == 1; ++step) {
    control.Progress(step, 0, "holding");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

// Does not stop; the effect is not idempotent, so it shows whether a job ran twice.
void Count(const Job& job, Context& context, JobControl&) {
  context.Write<Effects>([&](Effects& e) { e.tx.Execute(sql::chaos::add_effect, job.id, job.kind); });
}
void CountOnce(const Job& job, Context& context, JobControl& control) {
  EffectAndEnd(job, context, control);
}
void HoldBeforeEffect(const Job& job, Context& context, JobControl& control) {
  Start(job, context);
  Hold(job, control);
  EffectAndEnd(job, context, control);
}
void HoldInTransaction(const Job& job, Context& context, JobControl& control) {
  Start(job, context);
  context.Write<Effects>([&](Effects& e) {
    e.tx.Execute(sql::chaos::add_effect, job.id, job.kind);
    control.FinishIn(e.tx);
    Hold(job, control);
  });
}
void HoldAfterEffect(const Job& job, Context& context, JobControl& control) {
  Start(job, context);
  context.Write<Effects>([&](Effects& e) { e.tx.Execute(sql::chaos::add_effect_once, job.id, job.kind); });
  Hold(job, control);
}
void HoldAfterEnd(const Job& job, Context& context, JobControl& control) {
  Start(job, context);
  EffectAndEnd(job, context, control);
  // Without Progress: it would throw, because the job has ended, and the body must still run when it is
  // killed.
  while (job.attempt == 1) std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

const JobKind kKinds[] = {
    {.name = "chaos.count", .body = Count, .batch = 20},
    {.name = "chaos.count_once", .body = CountOnce, .batch = 20},
    {.name = "chaos.hold_before_effect", .body = HoldBeforeEffect},
    {.name = "chaos.hold_in_transaction", .body = HoldInTransaction},
    {.name = "chaos.hold_after_effect", .body = HoldAfterEffect},
    {.name = "chaos.hold_after_end", .body = HoldAfterEnd},
    // Several for one thread: those after the first are claimed but not started.
    {.name = "chaos.hold_ahead", .body = HoldBeforeEffect, .batch = 5},
};

int Enqueue(const Config& config, const char* kind, int count) {
  sql::Database database(config.DatabaseSettings("test-worker"));
  for (int done = 0; done < count; done += kEnqueuedTogether) {
    database.Write([&](sql::Tx& tx) {
      for (int i = done; i < std::min(count, done + kEnqueuedTogether); ++i) {
        EnqueueJob(tx, {.kind = kind, .user = UserId{i % kAccounts + 1}});
      }
    });
  }
  return 0;
}

int Work(const Config& config, int threads) {
  Daemon daemon("test-worker");
  Worker::Options options;
  options.threads = threads;
  options.name = "test-worker:" + std::to_string(getpid());
  Worker worker(config, kKinds, options);
  bool all_ended = false;
  std::thread running([&] { all_ended = worker.Run(); });
  daemon.WaitForLeave();
  worker.Stop();
  running.join();
  return all_ended ? 0 : 1;
}

int Number(const char* text) {
  int number = 0;
  std::from_chars(text, text + std::strlen(text), number);
  return std::max(number, 1);
}

}  // namespace

int main(int argc, char** argv) {
  Config config;
  const char* url = std::getenv("DATABASE_URL");
  if (url != nullptr) config.database_url = url;
  StartLog("warn");
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "create") {
    sql::Database(config.DatabaseSettings("test-worker")).Write([](sql::Tx& tx) {
      tx.Execute(sql::chaos::create_starts);
      tx.Execute(sql::chaos::create_effects);
    });
    return 0;
  }
  if (what == "enqueue" && argc == 4) return Enqueue(config, argv[2], Number(argv[3]));
  if (what == "work") return Work(config, argc == 4 ? Number(argv[3]) : 4);
  std::cerr << "usage: test-worker create | enqueue KIND COUNT | work [--threads N]\n";
  return 2;
}
