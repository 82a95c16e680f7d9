#pragma once
// The worker: claims jobs, runs their bodies, writes their results. Threads of one Worker:
//
//   dispatcher  (the caller of Run) wakes by LISTEN or poll, promotes, rescues, ticks, claims for free threads
//   bodies      `threads` of them, each with its own database connection
//   finisher    writes results: in one transaction, all jobs that ended since its last one
//   heartbeat   renews all leases, writes progress, reads cancellations; a separate thread, so that no slow
//               statement of the others costs a lease
//
// main.cpp passes the list of kinds. The worker keeps no decision in memory that another worker would need:
// it may die between any two statements, and its jobs run again when their leases expire.
#include <chrono>
#include <memory>
#include <span>
#include <string>

#include "handlers/base/config.h"
#include "handlers/base/job.h"

namespace syncline {

class Worker {
 public:
  struct Options {
    int threads = 4;
    std::string name;                         ///< unique among all workers, at most 200 characters
    std::chrono::milliseconds lease{30'000};  ///< a dead worker's jobs run again after this and rescue_every
    std::chrono::milliseconds poll{1'000};    ///< longest sleep of the dispatcher
    std::chrono::milliseconds rescue_every{5'000};
    /// How long a stopping worker waits for bodies, and then for the database.
    std::chrono::milliseconds stop_grace{25'000};
  };

  /// `kinds` and `config` must outlive the worker.
  Worker(const Config& config, std::span<const JobKind> kinds, Options options);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Works until Stop. True when all bodies have ended; false when one ignored JobControl for longer than
  /// the grace: its thread still runs, and the caller can only end the process.
  bool Run();
  /// Bodies stop at their next Progress; unfinished jobs run again without losing an attempt. Thread-safe,
  /// idempotent.
  void Stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace syncline
