// bench-jobs: throughput of jobs of one millisecond, with batches and without, through a complete Worker on
// the database of DATABASE_URL. Prints {"batched":N,"single":N}. The jobs are enqueued before the clock
// starts and stay in the table as done, until they are pruned; the installation's own workers do not know
// these kinds.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>

#include "handlers/base/config.h"
#include "handlers/base/job.h"
#include "handlers/base/log.h"
#include "handlers/jobs/job_store.h"
#include "handlers/jobs/worker.h"
#include "sql/database.h"

namespace {

using namespace syncline;

constexpr int kAccounts = 50;
constexpr int kEnqueuedTogether = 1'000;
// Bodies of 1 ms at 5,000 jobs/s occupy five threads; the others cover the gaps between jobs.
constexpr int kThreads = 16;

std::atomic<int> left;

void OneMillisecond(const Job&, Context&, JobControl&) {
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
  --left;
}

constexpr JobKind kKinds[] = {
    {.name = "bench.batched", .body = OneMillisecond, .batch = 50},
    {.name = "bench.single", .body = OneMillisecond},
};

double PerSecond(const Config& config, const char* kind, int jobs) {
  sql::Database database(config.DatabaseSettings("bench-jobs"));
  for (int done = 0; done < jobs; done += kEnqueuedTogether) {
    database.Write([&](sql::Tx& tx) {
      for (int i = 0; i < kEnqueuedTogether; ++i)
        EnqueueJob(tx, {.kind = kind, .user = UserId{i % kAccounts + 1}});
    });
  }
  left = jobs;
  Worker::Options options;
  options.threads = kThreads;
  options.name = std::string("bench-jobs:") + kind;
  Worker worker(config, kKinds, options);
  const auto begin = std::chrono::steady_clock::now();
  std::thread running([&] { worker.Run(); });
  while (left > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  // Stop and join return after the last results are written, which is part of the time.
  worker.Stop();
  running.join();
  return jobs / std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

int main() {
  Config config;
  const char* url = std::getenv("DATABASE_URL");
  if (url != nullptr) config.database_url = url;
  StartLog("warn");
  const double batched = PerSecond(config, "bench.batched", 30'000);
  const double single = PerSecond(config, "bench.single", 10'000);
  std::printf("{\"batched\":%.0f,\"single\":%.0f}\n", batched, single);
  return 0;
}
