#pragma once
// Background jobs as services see them: how one is enqueued (in the transaction that makes it necessary) and
// what its body looks like. The worker that runs them is handlers/jobs; a service never calls it.
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "handlers/base/context.h"
#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline {

struct NewJob {
  std::string_view kind;       ///< "anki.import_file"; a JobKind of that name must exist
  std::optional<UserId> user;  ///< whose turn it takes; none: the system's
  std::string args = "{}";     ///< one JSON object
  std::string
      unique_key;    ///< not empty: while a job with this (kind, key) is unfinished, it is returned instead
  int priority = 0;  ///< higher first
  std::chrono::seconds delay{0};  ///< not before now + delay
};

/// Adds a job in the caller's transaction and wakes the workers when it commits. Returns the id of the new
/// job, or of the unfinished one with the same unique key.
JobId EnqueueJob(sql::Tx& tx, const NewJob& job);

/// What the worker tells a running body, and what the body tells the worker.
class JobControl {
 public:
  virtual ~JobControl() = default;
  /// Throws JobStopped when the job was cancelled, the worker is leaving, or the job's lease was lost: call
  /// it between steps. Also records progress (done of total, a short message), at most once a second.
  virtual void Progress(std::int64_t done, std::int64_t total, std::string_view message) = 0;
};

class JobStopped : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Job {
  JobId id;
  std::string kind;
  std::optional<UserId> user;
  std::string args;
  int attempt;  ///< from 1
};

/// Bodies run at least once: a killed worker's job runs again, so every step must be safe to repeat. Throwing
/// fails the attempt; it is repeated with backoff up to max_attempts, then it is a dead letter.
struct JobKind {
  const char* name;
  void (*body)(const Job& job, Context& context, JobControl& control);
  int max_attempts = 10;
  int max_running = 0;                 ///< over all workers; 0: no limit
  std::chrono::seconds expires{3600};  ///< an attempt that takes longer is given up
  std::optional<std::chrono::seconds>
      every;  ///< cron: one job per tick of this period (aligned to the epoch)
};

}  // namespace syncline
