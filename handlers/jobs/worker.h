#pragma once
// The worker: claims jobs, runs their bodies, writes how they ended. Threads of one Worker:
//
//   dispatcher  (the caller of Run) wakes by LISTEN or poll, promotes, rescues, ticks, claims for free threads
//   bodies      `threads` of them, each with a database connection of its own
//   finisher    writes how jobs ended: in one transaction, as many as have ended since its last one
//   heartbeat   renews every lease held, carries progress out and cancellation in; nothing else, so that no
//               slow statement of the others costs a lease
//
// Knows no kind of job: main.cpp passes the list. It decides nothing in memory that another worker would have
// to know: a worker may die between any two statements, and its jobs run again when their leases run out.
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
    /// Longest wait for bodies, and for the database, at the end.
    std::chrono::milliseconds stop_grace{25'000};
  };

  /// `kinds` and `config` must outlive the worker.
  Worker(const Config& config, std::span<const JobKind> kinds, Options options);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Works until Stop. True when all bodies have ended; false when one ignored JobControl for longer than
  /// the grace: its thread still runs, and the only way left is to end the process.
  bool Run();
  /// Bodies are told at their next Progress; what they did not finish runs again without a lost attempt. From
  /// any thread, more than once.
  void Stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace syncline
