#pragma once
// Background jobs as services see them: how one is enqueued (in the transaction that makes it necessary) and
// the signature of its body. The worker in handlers/jobs runs them; a service never calls it.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "handlers/base/context.h"
#include "handlers/base/ids.h"
#include "handlers/base/rate_limit.h"
#include "sql/tx.h"

namespace syncline {

struct NewJob {
  std::string_view kind;         ///< "anki.import"; a JobKind of that name must exist
  std::optional<UserId> user{};  ///< the account it belongs to and is scheduled for; none: the system
  std::string args = "{}";       ///< one JSON object
  /// If not empty: while a job with this (kind, user, key) is unfinished, it is returned instead. At most 500
  /// characters.
  std::string unique_key{};
  int priority = 0;                    ///< higher first, -100 to 100; among equals the accounts take turns
  std::chrono::milliseconds delay{0};  ///< not before now + delay
  /// Every account may see its progress (GET /jobs/{id}): for a system job that many accounts wait for.
  bool is_shared = false;
};

/// Adds a job in the caller's transaction and wakes the workers when it commits. Returns the id of the new
/// job, or of the unfinished one with the same unique key. The latter may be running already and may have
/// read its data before this transaction: if that matters, the key must name the version (a blob, a
/// revision), not only the place. Waits while another transaction is adding the same key.
JobId EnqueueJob(sql::Tx& tx, const NewJob& job);

/// When a job of this kind was last done; none: never, or before the retention time of done jobs.
std::optional<sql::Time> LastJobDone(sql::Tx& tx, std::string_view kind);

/// Communication between the worker and a running body.
class JobControl {
 public:
  virtual ~JobControl() = default;
  /// Throws JobStopped if the job was cancelled, the worker is shutting down, or the lease was lost: call it
  /// between steps. Also records progress (done of total, a short message), at most once a second.
  virtual void Progress(std::int64_t done, std::int64_t total, std::string_view message) = 0;
  /// Makes the job's completion part of the body's own transaction, so that its writes happen once, however
  /// often the job is retried. Throws JobStopped if the lease was lost or the job cancelled. Must be the
  /// body's last step.
  /// `tx` comes from context.Write<SomeStore, Transaction>(...).
  virtual void FinishIn(sql::Tx& tx) = 0;
  /// Waits. Throws JobStopped as Progress does.
  virtual void Pause(std::chrono::milliseconds time) = 0;
};

/// Bodies must not catch it.
class JobStopped : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Thrown by a body that cannot do its work now, such as an import while the disk is nearly full. The attempt
/// does not count; the job waits for `delay`, and its error is the reason.
class JobPutOff : public std::runtime_error {
 public:
  JobPutOff(const std::string& reason, std::chrono::milliseconds delay)
      : std::runtime_error(reason), delay_(delay) {}
  std::chrono::milliseconds delay() const { return delay_; }

 private:
  std::chrono::milliseconds delay_;
};

struct Job {
  JobId id;
  std::string kind;
  std::optional<UserId> user;
  std::string args;
  int attempt;  ///< from 1
};

/// Bodies run at least once: a killed worker's job runs again, so every step must be idempotent (or commit
/// with FinishIn). An exception fails the attempt; it is retried with backoff up to max_attempts, then the
/// job is dead. A body calls Progress at least every few seconds: a worker that shuts down waits for that.
struct JobKind {
  const char* name;
  void (*body)(const Job& job, Context& context, JobControl& control);
  int max_attempts = 10;
  int max_running = 0;  ///< over all workers; 0: no limit
  /// How many attempts may begin, over all workers: never more than `count` (at most 1,000) in any `per`. A
  /// job that would exceed the rate stays in its queue. Null: no limit.
  RateLimit (*rate)(const Config& config) = nullptr;
  std::chrono::seconds expires{3600};  ///< an attempt that takes longer is given up
  /// Cron: one job per tick of this period (aligned to the epoch), none while the last one is unfinished.
  std::optional<std::chrono::seconds> every{};
  /// Cron: one job a day, in the hour of the setting upkeep_hour. For checks, which must not slow down
  /// requests: see UpkeepStep.
  bool is_daily = false;
  /// How many jobs a worker claims ahead per thread. More than 1 only for bodies that take milliseconds: it
  /// saves transactions, but claimed jobs count as running.
  int batch = 1;
};

/// Runs one short step of upkeep, then pauses four times as long as it took: the work of many steps takes a fifth of
/// one core, and less when the machine is busy. Returns what `step` returns.
template <typename F>
auto UpkeepStep(JobControl& control, F&& step) {
  constexpr int kPausePart = 4;
  constexpr std::chrono::milliseconds kLongestPause{2'000};
  const auto begin = std::chrono::steady_clock::now();
  auto result = step();
  const auto took = std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  control.Pause(std::min(took * kPausePart, kLongestPause));
  return result;
}

}  // namespace syncline
