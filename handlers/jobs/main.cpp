// syncline-worker: a daemon around Worker. Needs only the database, and waits at startup until that is there
// and has a schema this program can work with. Exit codes: 0 shut down as asked, 64 usage error.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <random>
#include <thread>

#include "handlers/base/config.h"
#include "handlers/base/daemon.h"
#include "handlers/base/log.h"
#include "handlers/jobs/worker.h"
#include "handlers/services.h"

namespace {

using namespace syncline;

// Unique among all workers ever started: process ids are reused, also on other machines.
std::string WorkerName() {
  char host[65] = "";
  gethostname(host, sizeof host - 1);
  return std::string(host) + ":" + std::to_string(getpid()) + ":" +
         std::to_string(std::random_device{}() % 1'000'000);
}

}  // namespace

int main(int argc, char** argv) {
  Daemon daemon("syncline-worker");
  CLI::App app("Runs Syncline's background jobs", "syncline-worker");
  Config config;
  Worker::Options options;
  app.add_option("--threads", options.threads, "Concurrent jobs; each has a database connection")
      ->envname("SYNCLINE_WORKER_THREADS")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  if (const auto exit_code = daemon.Configure(app, config, AllSettings(), argc, argv)) return *exit_code;
  if (!daemon.WaitForSchema(config)) return 0;
  const std::vector<JobKind> kinds = AllJobs();
  options.name = WorkerName();
  Worker worker(config, kinds, options);
  bool all_ended = false;
  std::thread running([&] { all_ended = worker.Run(); });
  daemon.TellReady();
  LogLine(LogLevel::kInfo)
      .Add("svc", "jobs")
      .Add("event", "started")
      .Add("worker", options.name)
      .Add("threads", options.threads)
      .Write();

  daemon.WaitForLeave();
  daemon.TellLeaving();
  worker.Stop();
  running.join();
  LogLine(LogLevel::kInfo)
      .Add("svc", "jobs")
      .Add("event", "left")
      .Add("clean", all_ended ? "yes" : "no")
      .Write();
  // A body that ignores Stop still uses objects of this function: exit as if killed. Its job runs again.
  if (!all_ended) std::_Exit(0);
  return 0;
}
