// syncline-worker: options, signals and systemd around Worker. Needs nothing but the database, and not even
// that to start: it waits for it.
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>

#include "handlers/base/config.h"
#include "handlers/base/log.h"
#include "handlers/jobs/kinds.h"
#include "handlers/jobs/worker.h"
#include "sql/errors.h"
#include "sql/migrate.h"

namespace {

using namespace syncline;

constexpr int kConfigExit = 78;  // EX_CONFIG: systemd must not try again at once
constexpr std::chrono::seconds kConnectPause{1};

// Unique among all workers that ever ran: a process id comes back, also on another machine.
std::string WorkerName() {
  char host[65] = "";
  gethostname(host, sizeof host - 1);
  return std::string(host) + ":" + std::to_string(getpid()) + ":" +
         std::to_string(std::random_device{}() % 1'000'000);
}

// Waits for the database, or for a signal (then false). Exits when the schema is older than this build.
bool SchemaIsReady(const Config& config, const sigset_t& signals) {
  for (bool told = false;; told = true) {
    try {
      const auto problem = sql::SchemaProblem(config.DatabaseSettings("syncline-worker"));
      if (!problem) return true;
      LogLine(LogLevel::kError).Add("svc", "jobs").Add("event", "schema").Add("err", *problem).Write();
      std::exit(kConfigExit);
    } catch (const sql::Failure& failure) {
      if (!told) {
        sd_notify(0, "STATUS=waiting for PostgreSQL");
        LogLine(LogLevel::kWarn)
            .Add("svc", "jobs")
            .Add("event", "waiting")
            .Add("err", failure.what())
            .Write();
      }
    }
    const timespec pause{kConnectPause.count(), 0};
    if (sigtimedwait(&signals, nullptr, &pause) > 0) return false;
  }
}

}  // namespace

int main(int argc, char** argv) {
  // Large buffers go back to the system when they are freed; glibc would raise the bound and keep them.
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
  CLI::App app("Runs Syncline's background jobs", "syncline-worker");
  Config config;
  Worker::Options options;
  AddConfigOptions(app, config);
  app.add_option("--threads", options.threads, "Jobs at the same time; each has a database connection")
      ->envname("SYNCLINE_WORKER_THREADS")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  if (const auto code = ParseOptions(app, config, argc, argv)) return *code;
  StartLog(config.log_level);

  // Blocked in every thread; this one waits for them, so no handler and no code that must be safe inside one.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  if (!SchemaIsReady(config, signals)) return 0;
  const std::vector<JobKind> kinds = JobKinds();
  options.name = WorkerName();
  Worker worker(config, kinds, options);
  bool all_ended = false;
  std::thread running([&] { all_ended = worker.Run(); });
  sd_notify(0, "READY=1\nSTATUS=working");
  LogLine(LogLevel::kInfo)
      .Add("svc", "jobs")
      .Add("event", "started")
      .Add("worker", options.name)
      .Add("threads", options.threads)
      .Write();

  int signal_number = 0;
  sigwait(&signals, &signal_number);
  sd_notify(0, "STOPPING=1");
  worker.Stop();
  running.join();
  LogLine(LogLevel::kInfo)
      .Add("svc", "jobs")
      .Add("event", "stopped")
      .Add("clean", all_ended ? "yes" : "no")
      .Write();
  // A body that does not listen still runs on objects of this function: leave as if killed. Its job runs
  // again.
  if (!all_ended) std::_Exit(0);
  return 0;
}
