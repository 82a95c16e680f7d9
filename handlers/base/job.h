#pragma once
// Background jobs as services see them: how one is enqueued (in the transaction that makes it necessary) and
// what its body looks like. The worker that runs them is handlers/jobs; a service never calls it.
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "handlers/base/context.h"
#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline {

struct NewJob {
  std::string_view kind;         ///< "anki.import"; a JobKind of that name must exist
  std::optional<UserId> user{};  ///< whose turn it takes; none: the system's
  std::string args = "{}";       ///< one JSON object
  /// Not empty: while a job with this (kind, user, key) is unfinished, it is returned instead. At most 500
  /// characters.
  std::string unique_key{};
  int priority = 0;                    ///< higher first, -100 to 100; among equals the accounts take turns
  std::chrono::milliseconds delay{0};  ///< not before now + delay
};

/// Adds a job in the caller's transaction and wakes the workers when it commits. Returns the id of the new
/// job, or of the unfinished one with the same unique key. That one may be running already and may have read
/// what it works on before this transaction: when that matters, the key names the thing as it is now (a blob,
/// a revision), not only its place. Waits while another transaction is adding the same key.
JobId EnqueueJob(sql::Tx& tx, const NewJob& job);

/// When a job of this kind was last done; none: never, or longer ago than done jobs are kept.
std::optional<sql::Time> LastJobDone(sql::Tx& tx, std::string_view kind);

/// What the worker tells a running body, and what the body tells the worker.
class JobControl {
 public:
  virtual ~JobControl() = default;
  /// Throws JobStopped when the job was cancelled, the worker is leaving, or the job's lease was lost: call
  /// it between steps. Also records progress (done of total, a short message), at most once a second.
  virtual void Progress(std::int64_t done, std::int64_t total, std::string_view message) = 0;
  /// Makes the end of the job part of the body's own transaction: what the transaction writes is written
  /// once, however often the job is repeated. Throws JobStopped when the lease was lost or the job cancelled.
  /// The last thing a body does.
  /// `tx` comes from context.Write<SomeStore, Transaction>(...).
  virtual void FinishIn(sql::Tx& tx) = 0;
};

/// Bodies let it pass.
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

/// Bodies run at least once: a killed worker's job runs again, so every step must be safe to repeat (or
/// commits with FinishIn). Throwing fails the attempt; it is repeated with backoff up to max_attempts, then
/// it is a dead letter. A body calls Progress at least every few seconds: a worker that has to leave waits
/// for that.
struct JobKind {
  const char* name;
  void (*body)(const Job& job, Context& context, JobControl& control);
  int max_attempts = 10;
  int max_running = 0;                 ///< over all workers; 0: no limit
  std::chrono::seconds expires{3600};  ///< an attempt that takes longer is given up
  /// Cron: one job per tick of this period (aligned to the epoch), none while the last one is unfinished.
  std::optional<std::chrono::seconds> every{};
  /// How many a worker takes ahead for each of its threads. More than 1 only for bodies of milliseconds: it
  /// saves transactions, and those taken count as running.
  int batch = 1;
};

}  // namespace syncline
