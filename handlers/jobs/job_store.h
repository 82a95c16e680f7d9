#pragma once
// The jobs table: claims, leases, results, cron, and operator commands. Jobs are added by EnqueueJob in
// handlers/base/job.h. handlers/jobs/README.md shows the states and transitions.
//
// Locks, in this order: the claim lock (advisory, Claim only), then rows of jobs by ascending id. Claim,
// Promote, Rescue, Renew and SaveProgress skip locked rows, so they never wait; Finish and Release wait for
// single-row commands and for transactions that end with FinishIn.
//
// Workers use this store across accounts, so it takes no user.
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/ids.h"
#include "handlers/base/job.h"
#include "sql/tx.h"

namespace syncline {

/// A claim on a job. Every claim has a new number, so an old one matches nothing.
struct Lease {
  JobId job;
  std::int64_t number;
};

struct ClaimedJob {
  Job job;
  std::int64_t lease;
  Lease held() const { return {job.id, lease}; }
};

struct StoppedLease {
  Lease lease;
  bool is_lost;  ///< false: cancellation was requested
};

struct JobProgress {
  Lease lease;
  std::int64_t done, total;
  std::string message;  ///< at most 200 characters
};

struct JobRow {
  JobId id;
  std::string kind;
  std::optional<UserId> user;
  std::optional<std::string> user_name;  ///< none: a system job, or the account was removed
  std::string args, state;
  std::optional<std::string> unique_key, worker, last_error;
  int priority, attempts, max_attempts;
  bool cancel_requested;
  std::int64_t progress_done, progress_total;
  std::string progress_message;
  sql::Time created_at, run_at;
  std::optional<sql::Time> started_at, heartbeat_at, finished_at;
};

struct JobFilter {
  std::optional<std::string> state{}, kind{};
  std::optional<UserId> user{};
  int limit = 50;
};

struct JobCount {
  std::string state;
  std::int64_t jobs;
  sql::Time oldest_at;  ///< smallest run_at; for queued jobs, since when the oldest has been ready
};

struct WorkerRow {
  std::string name;
  int threads;
  sql::Time started_at, seen_at;
};

/// How long to wait after the `attempts`th failure: 5 s doubled each time up to an hour, times 0.75 to 1.25
/// by `random` (0 to 1), so that jobs that failed together are not retried together.
std::chrono::milliseconds BackoffAfter(int attempts, double random);

/// Makes `text` safe for a text column: valid UTF-8 without control characters, at most `max_bytes`.
/// Recording an exception must not fail, whatever its text.
std::string StorableText(std::string_view text, std::size_t max_bytes);

class JobStore {
 public:
  explicit JobStore(sql::Tx& tx);
  JobStore(sql::Tx& tx, UserId) : JobStore(tx) {}  // as Context opens stores

  // --- for workers
  /// Claims jobs of these kinds for `free_threads` threads, in the order in which they should start.
  /// `config`: for the rates of kinds.
  std::vector<ClaimedJob> Claim(std::string_view worker, int free_threads, std::chrono::milliseconds lease,
                                std::span<const JobKind> kinds, const Config& config);
  /// This and the next three change only jobs whose lease is still held, and return how many those were.
  std::int64_t Finish(std::span<const Lease> leases);
  /// Back into the queue; the attempt does not count.
  std::int64_t Release(std::span<const Lease> leases);
  std::int64_t Renew(std::span<const Lease> leases, std::chrono::milliseconds lease);
  std::int64_t SaveProgress(std::span<const JobProgress> progress);
  /// Returns the new state ("waiting", "dead", "cancelled"), or nothing when the lease was lost.
  std::optional<std::string> Fail(const Lease& lease, std::string_view error,
                                  std::chrono::milliseconds delay);
  /// See JobPutOff.
  void PutOff(const Lease& lease, std::string_view reason, std::chrono::milliseconds delay);
  /// See JobControl::FinishIn. False: the lease was lost, or the job is to be cancelled.
  bool FinishHere(const Lease& lease);
  /// Which of these leases must stop.
  std::vector<StoppedLease> Watch(std::span<const Lease> leases);

  // --- housekeeping, by every worker; each at most `limit` rows
  std::int64_t Promote(int limit);
  std::int64_t Rescue(int limit);
  /// Enqueues the job of the current tick of a cron kind. False: a worker has already done so.
  bool TakeTick(const JobKind& kind);
  /// As TakeTick, for a daily kind. `tick`: see daily_tick.h. False also if its hour has passed, unless two
  /// days were missed.
  bool TakeDailyTick(const JobKind& kind, sql::Time tick);
  std::int64_t Prune(std::chrono::seconds keep_done, std::chrono::seconds keep_failed, int limit);
  void PruneWorkers();
  void BeatWorker(std::string_view name, int threads);
  void RemoveWorker(std::string_view name);

  // --- for operators
  std::vector<JobRow> List(const JobFilter& filter);
  std::optional<JobRow> Find(JobId job);
  std::vector<JobCount> Count();
  std::vector<WorkerRow> Workers();
  /// Runs a waiting, dead or cancelled job now, with all its attempts. Error NotFound "no_such_job", Conflict
  /// "job_not_retryable" (it is queued, running or done) or "job_exists" (one with its key is unfinished).
  void Retry(JobId job);
  /// Returns the new state: "cancelled", or "running" if the body has not stopped yet. Error NotFound
  /// "no_such_job", Conflict "job_finished".
  std::string Cancel(JobId job);

 private:
  void EnqueueTick(const JobKind& kind);

  sql::Tx& tx_;
};

}  // namespace syncline
