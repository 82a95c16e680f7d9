#include "handlers/jobs/worker.h"

#include <malloc.h>

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "handlers/base/context.h"
#include "handlers/base/log.h"
#include "handlers/base/metrics.h"
#include "handlers/jobs/daily_tick.h"
#include "handlers/jobs/job_store.h"
#include "sql/database.h"
#include "sql/errors.h"
#include "sql/listener.h"

namespace syncline {
namespace {

using Clock = std::chrono::steady_clock;

// Rows one housekeeping statement may touch: keeps transactions short; the rest follows in the next round.
constexpr int kHousekeepingRows = 1000;
// How often progress is written and cancellation is read.
constexpr std::chrono::milliseconds kWatchEvery{1'000};
// A job claimed ahead that has not started after this long is released: its thread is busy with something
// slower.
constexpr std::chrono::milliseconds kLongestAhead{2'000};
// Results written in one transaction.
constexpr std::size_t kMaxEnds = 2'000;
// Pause after a database failure; bounds how soon recovery is noticed.
constexpr std::chrono::milliseconds kDatabasePause{500};

enum class StopReason { kNo, kCancelled, kLost, kExpired, kLeaving };

const char* StopText(StopReason stop) {
  switch (stop) {
    case StopReason::kCancelled:
      return "cancelled";
    case StopReason::kLost:
      return "lease lost";
    case StopReason::kExpired:
      return "exceeded the time limit of its kind";
    case StopReason::kLeaving:
      return "worker is leaving";
    case StopReason::kNo:
      break;
  }
  return "";
}

// One claimed job, from the claim until its result is written. Shared by the body's thread and the heartbeat.
class Held : public JobControl {
 public:
  Held(ClaimedJob claimed, const JobKind& kind, Clock::time_point leased_at)
      : claimed(std::move(claimed)), kind(kind), claimed_at(Clock::now()), renewed_(leased_at) {}

  void Progress(std::int64_t done, std::int64_t total, std::string_view message) override {
    {
      const std::lock_guard lock(mutex_);
      progress_ = JobProgress{claimed.held(), done, total, std::string(message.substr(0, 1000))};
    }
    ThrowIfStopped();
  }

  void ThrowIfStopped() const {
    if (const StopReason reason = stop(); reason != StopReason::kNo) throw JobStopped(StopText(reason));
  }

  void FinishIn(sql::Tx& tx) override {
    if (!JobStore(tx).FinishHere(claimed.held())) throw JobStopped("lease lost or job cancelled");
  }

  void Pause(std::chrono::milliseconds time) override {
    std::unique_lock lock(mutex_);
    told_.wait_for(lock, time, [&] { return stop_ != StopReason::kNo; });
    lock.unlock();
    ThrowIfStopped();
  }

  /// The first reason stays, except that a lost lease overrides it: nothing may be written any more.
  void Tell(StopReason stop) {
    const std::lock_guard lock(mutex_);
    if (stop_ == StopReason::kNo || stop == StopReason::kLost) stop_ = stop;
    told_.notify_all();
  }
  StopReason stop() const {
    const std::lock_guard lock(mutex_);
    return stop_;
  }
  std::optional<JobProgress> TakeProgress() {
    const std::lock_guard lock(mutex_);
    return std::exchange(progress_, std::nullopt);
  }
  void Started(Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    expires_at_ = now + kind.expires;
  }
  bool IsExpired(Clock::time_point now) const {
    const std::lock_guard lock(mutex_);
    return expires_at_ && now > *expires_at_;
  }
  void Renewed(Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    renewed_ = now;
  }
  Clock::time_point renewed() const {
    const std::lock_guard lock(mutex_);
    return renewed_;
  }

  const ClaimedJob claimed;
  const JobKind& kind;
  const Clock::time_point claimed_at;

 private:
  mutable std::mutex mutex_;
  std::condition_variable told_;  // stop_ has changed
  StopReason stop_ = StopReason::kNo;
  std::optional<JobProgress> progress_;
  std::optional<Clock::time_point> expires_at_;
  Clock::time_point renewed_;
};

using HeldPtr = std::shared_ptr<Held>;

// Job and lease: a job taken from a body that ignores JobControl may be claimed again by the same worker.
using Key = std::pair<std::int64_t, std::int64_t>;
Key KeyOf(const Held& held) {
  return {static_cast<std::int64_t>(held.claimed.job.id), held.claimed.lease};
}

enum class Ending { kDone, kFailed, kReleased, kPutOff };

struct End {
  HeldPtr held;
  Ending ending;
  std::string error;                   // of kFailed and kPutOff
  std::chrono::milliseconds delay{0};  // of kPutOff
};

LogLine Event(LogLevel level, const char* event) {
  return LogLine(level).Add("svc", "jobs").Add("event", event);
}

double Random() {
  static thread_local std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

// Metrics of one kind of job.
struct KindMetrics {
  KindMetrics(Metrics& metrics, const char* kind)
      : seconds(metrics.Latency("syncline_job_seconds", {{"kind", kind}}, "Time that attempts of jobs took")),
        statements(
            metrics.Counter("syncline_statements_total", {{"op", kind}}, "Statements sent to the database")),
        database_time(metrics.Seconds("syncline_statement_seconds_total", {{"op", kind}},
                                      "Time spent waiting for the database")),
        done(Ended(metrics, kind, "done")),
        failed(Ended(metrics, kind, "failed")),
        released(Ended(metrics, kind, "released")) {}

  static MetricCell& Ended(Metrics& metrics, const char* kind, const char* end) {
    return metrics.Counter("syncline_job_attempts_total", {{"kind", kind}, {"end", end}},
                           "Attempts of jobs, by how they ended");
  }

  Histogram seconds;
  MetricCell& statements;
  MetricCell& database_time;
  MetricCell& done;
  MetricCell& failed;
  MetricCell& released;
};

}  // namespace

class Worker::Impl : public std::enable_shared_from_this<Worker::Impl> {
 public:
  Impl(const Config& config, std::span<const JobKind> kinds, Options options)
      : config_(config),
        kinds_(kinds),
        options_(std::move(options)),
        settings_(config.DatabaseSettings("syncline-worker")),
        wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        metrics_(config.metrics_dir),
        threads_busy_(metrics_.Gauge("syncline_worker_threads_busy", {}, "Jobs that are running")),
        database_errors_(metrics_.Counter("syncline_worker_database_errors_total", {},
                                          "Times a worker could not reach the database")) {
    metrics_.Gauge("syncline_worker_threads", {}, "Jobs that can run at once")
        .store(static_cast<std::uint64_t>(options_.threads));
    for (const JobKind& kind : kinds_) kind_metrics_.emplace(&kind, KindMetrics(metrics_, kind.name));
  }
  ~Impl() { close(wake_fd_); }

  bool Run();
  void Stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      for (const auto& [id, held] : held_) held->Tell(StopReason::kLeaving);
    }
    work_.notify_all();
    Wake();
  }

 private:
  void Wake() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(wake_fd_, &one, sizeof one);
  }
  bool IsStopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  // Dispatcher.
  void Dispatch();
  void KeepHouse(sql::Database& database);
  bool ClaimSome(sql::Database& database);
  int FreeThreads();
  void GiveBackAhead(bool all);

  // Bodies.
  void RunBodies();
  End RunBody(const HeldPtr& held, sql::Database& database, Redis& redis);

  // Finisher.
  void WriteEnds();
  void Write(sql::Database& database, const std::vector<End>& ends);
  void Ended(End end);

  // Heartbeat.
  void Beat();
  void BeatOnce(sql::Database& database, bool renew);

  const Config& config_;
  const std::span<const JobKind> kinds_;
  const Options options_;
  const sql::Settings settings_;
  const int wake_fd_;

  Metrics metrics_;
  MetricCell& threads_busy_;
  MetricCell& database_errors_;
  std::map<const JobKind*, KindMetrics> kind_metrics_;

  // Guards the members below; never held during a statement or a body.
  mutable std::mutex mutex_;
  std::condition_variable work_;  // ahead_ has grown, or stopping_
  std::condition_variable ends_changed_;
  std::condition_variable idle_;  // a body has ended
  std::condition_variable beat_;  // the heartbeat may exit
  bool stopping_ = false;
  bool bodies_gone_ = false;  // no more Ends will come
  bool beat_over_ = false;
  int busy_ = 0;
  int bodies_ = 0;             // threads that have not returned
  std::deque<HeldPtr> ahead_;  // claimed, not started
  std::deque<End> ends_;
  std::map<Key, HeldPtr> held_;  // from the claim until the result is written

  // Dispatcher only.
  Clock::time_point next_rescue_{};
  Clock::time_point next_promotion_{};
};

// --- dispatcher

bool Worker::Impl::Run() {
  // The other threads keep the Impl alive: a body that ignores Stop outlives Run.
  const auto self = shared_from_this();
  {
    const std::lock_guard lock(mutex_);
    bodies_ = options_.threads;
  }
  for (int i = 0; i < options_.threads; ++i) std::thread([self] { self->RunBodies(); }).detach();
  std::thread heartbeat([self] { self->Beat(); });
  std::thread finisher([self] { self->WriteEnds(); });

  Dispatch();

  GiveBackAhead(/*all=*/true);
  bool all_ended = false;
  {
    std::unique_lock lock(mutex_);
    all_ended = idle_.wait_for(lock, options_.stop_grace, [&] { return bodies_ == 0; });
    bodies_gone_ = true;
  }
  ends_changed_.notify_all();
  // Leases are renewed until the last result is written.
  finisher.join();
  {
    const std::lock_guard lock(mutex_);
    beat_over_ = true;
  }
  beat_.notify_all();
  heartbeat.join();
  return all_ended;
}

void Worker::Impl::Dispatch() {
  sql::Database database(settings_);
  sql::Listener listener(settings_, "syncline_jobs");
  bool was_away = false;
  while (!IsStopping()) {
    bool more = false;
    try {
      KeepHouse(database);
      GiveBackAhead(/*all=*/false);
      more = ClaimSome(database);
      if (std::exchange(was_away, false)) Event(LogLevel::kInfo, "working_again").Write();
    } catch (const std::exception& failure) {
      // Unreachable or restarting. Jobs taken by a claim of unknown outcome come back when their leases
      // expire.
      if (!std::exchange(was_away, true)) {
        Count(database_errors_);
        Event(LogLevel::kWarn, "database_failed").Add("err", failure.what()).Write();
      }
    }
    if (more) continue;
    listener.Wait(was_away ? std::min(kDatabasePause, options_.poll) : options_.poll, wake_fd_);
    std::uint64_t drained = 0;
    [[maybe_unused]] const auto got = read(wake_fd_, &drained, sizeof drained);
  }
}

void Worker::Impl::KeepHouse(sql::Database& database) {
  const auto now = Clock::now();
  if (now >= next_rescue_) {
    const auto day =
        jobs::LastDailyTick(std::chrono::system_clock::now(), static_cast<int>(config_.upkeep_hour));
    database.Write([&](sql::Tx& tx) {
      JobStore store(tx);
      store.BeatWorker(options_.name, options_.threads);  // before the first claim: fair shares count threads
      store.Rescue(kHousekeepingRows);
      for (const JobKind& kind : kinds_) {
        if (kind.every) store.TakeTick(kind);
        if (kind.is_daily) store.TakeDailyTick(kind, day);
      }
    });
    next_rescue_ = now + options_.rescue_every;
  }
  // Rate-limited: a flood of notifications must not cause a flood of these statements.
  if (now >= next_promotion_) {
    const std::int64_t promoted =
        database.Write([&](sql::Tx& tx) { return JobStore(tx).Promote(kHousekeepingRows); });
    next_promotion_ = promoted == kHousekeepingRows ? now : now + options_.poll / 2;
  }
}

int Worker::Impl::FreeThreads() {
  const std::lock_guard lock(mutex_);
  if (stopping_) return 0;
  // Jobs claimed ahead will keep that many threads busy.
  double ahead = 0;
  for (const HeldPtr& held : ahead_) ahead += 1.0 / std::max(held->kind.batch, 1);
  return options_.threads - busy_ - static_cast<int>(ahead + 0.999);
}

// True when another claim should follow at once.
bool Worker::Impl::ClaimSome(sql::Database& database) {
  const int free_threads = FreeThreads();
  if (free_threads <= 0) return false;
  const auto before = Clock::now();
  std::vector<ClaimedJob> claimed = database.Write([&](sql::Tx& tx) {
    return JobStore(tx).Claim(options_.name, free_threads, options_.lease, kinds_, config_);
  });
  if (claimed.empty()) return false;
  std::size_t taken = 0;
  {
    const std::lock_guard lock(mutex_);
    for (ClaimedJob& job : claimed) {
      const auto kind = std::find_if(kinds_.begin(), kinds_.end(),
                                     [&](const JobKind& k) { return job.job.kind == k.name; });
      const auto held = std::make_shared<Held>(std::move(job), *kind, before);
      if (stopping_) held->Tell(StopReason::kLeaving);
      held_.emplace(KeyOf(*held), held);
      ahead_.push_back(held);
      ++taken;
    }
  }
  taken == 1 ? work_.notify_one() : work_.notify_all();
  return FreeThreads() <= 0;
}

void Worker::Impl::GiveBackAhead(bool all) {
  const auto limit = Clock::now() - kLongestAhead;
  std::vector<HeldPtr> back;
  {
    const std::lock_guard lock(mutex_);
    for (auto it = ahead_.begin(); it != ahead_.end();) {
      if (all || (*it)->claimed_at < limit) {
        back.push_back(*it);
        it = ahead_.erase(it);
      } else {
        ++it;
      }
    }
  }
  for (const HeldPtr& held : back) Ended({held, Ending::kReleased, ""});
}

// --- bodies

void Worker::Impl::RunBodies() {
  sql::Database database(settings_);
  Redis redis(config_.redis_url);
  std::unique_lock lock(mutex_);
  for (;;) {
    work_.wait(lock, [&] { return stopping_ || !ahead_.empty(); });
    if (stopping_) break;
    const HeldPtr held = std::move(ahead_.front());
    ahead_.pop_front();
    ++busy_;
    lock.unlock();
    End end = RunBody(held, database, redis);
    Ended(std::move(end));
    lock.lock();
    --busy_;
    if (ahead_.empty()) Wake();
  }
  // Notified under the lock: as soon as Run sees 0 it may return, and the process may exit.
  if (--bodies_ == 0) idle_.notify_all();
}

End Worker::Impl::RunBody(const HeldPtr& held, sql::Database& database, Redis& redis) {
  const auto begin = Clock::now();
  const Job& job = held->claimed.job;
  held->Started(begin);
  End end{held, Ending::kDone, ""};
  Context context(config_, database, redis, "job-" + std::to_string(static_cast<std::int64_t>(job.id)));
  const GaugeHold busy(threads_busy_);
  try {
    context.SetIdentity({.user = job.user.value_or(UserId{}), .device = DeviceId{}});
    context.SetDeadline(begin + held->kind.expires);
    // A job stopped before it began must not begin.
    held->ThrowIfStopped();
    held->kind.body(job, context, *held);
  } catch (const JobPutOff& later) {
    end.ending = Ending::kPutOff;
    end.error = later.what();
    end.delay = later.delay();
  } catch (const std::exception& failure) {
    end.ending = Ending::kFailed;
    end.error = failure.what();
  } catch (...) {
    end.ending = Ending::kFailed;
    end.error = "exception not derived from std::exception";
  }
  database.SetDeadline(std::nullopt);
  // glibc keeps freed blocks in the arena of each thread; this returns them after a body that may have had many.
  constexpr std::chrono::milliseconds kLong{500};
  if (Clock::now() - begin > kLong) malloc_trim(0);
  // A body that completed although told to stop is done; the lease decides whether that still counts.
  if (end.ending == Ending::kFailed) {
    switch (held->stop()) {
      // Release checks in the row whether the job was cancelled and whether the lease was really lost.
      case StopReason::kLost:
      case StopReason::kLeaving:
      case StopReason::kCancelled:
        end.ending = Ending::kReleased;
        break;
      case StopReason::kExpired:
        end.error = std::string(StopText(StopReason::kExpired)) + ": " + end.error;
        break;
      case StopReason::kNo:
        break;
    }
  }
  const char* outcome = end.ending == Ending::kDone       ? "done"
                        : end.ending == Ending::kReleased ? StopText(held->stop())
                        : end.ending == Ending::kPutOff   ? "put off"
                                                          : "failed";
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
  const KindMetrics& metrics = kind_metrics_.at(&held->kind);
  metrics.seconds.Observe(took);
  Count(end.ending == Ending::kDone     ? metrics.done
        : end.ending == Ending::kFailed ? metrics.failed
                                        : metrics.released);
  Count(metrics.statements, static_cast<std::uint64_t>(context.statements()));
  Count(metrics.database_time, static_cast<std::uint64_t>(context.database_time().count()));
  LogLine line(end.ending == Ending::kFailed ? LogLevel::kWarn : LogLevel::kInfo);
  line.Add("req", "job-" + std::to_string(static_cast<std::int64_t>(job.id)))
      .Add("svc", "jobs")
      .Add("op", job.kind)
      .Add("user", static_cast<std::int64_t>(job.user.value_or(UserId{})))
      .Add("attempt", job.attempt)
      .Add("end", outcome)
      .Add("err", end.error.empty() ? "-" : end.error)
      .Add("ms", took);
  line.Write();
  return end;
}

// --- finisher

void Worker::Impl::Ended(End end) {
  {
    const std::lock_guard lock(mutex_);
    ends_.push_back(std::move(end));
  }
  ends_changed_.notify_one();
}

void Worker::Impl::WriteEnds() {
  sql::Database database(settings_);
  std::optional<Clock::time_point> give_up;
  for (;;) {
    std::vector<End> ends;
    {
      std::unique_lock lock(mutex_);
      ends_changed_.wait(lock, [&] { return bodies_gone_ || !ends_.empty(); });
      if (ends_.empty()) break;
      while (!ends_.empty() && ends.size() < kMaxEnds) {
        ends.push_back(std::move(ends_.front()));
        ends_.pop_front();
      }
    }
    for (;;) {
      try {
        Write(database, ends);
        break;
      } catch (const sql::Failure& failure) {
        // Unreachable, or a commit of unknown outcome. Writing a result twice is safe: the lease is gone by
        // then. A stopping worker gives up after a while; jobs without a written result run again elsewhere.
        Event(LogLevel::kWarn, "ends_not_written")
            .Add("jobs", ends.size())
            .Add("err", failure.what())
            .Write();
        std::unique_lock lock(mutex_);
        if (stopping_ && !give_up) give_up = Clock::now() + options_.stop_grace;
        if (give_up && Clock::now() > *give_up) return;
        lock.unlock();
        std::this_thread::sleep_for(kDatabasePause);
      }
    }
    const std::lock_guard lock(mutex_);
    for (const End& end : ends) held_.erase(KeyOf(*end.held));
    // A kind at its max_running may have room again.
    Wake();
  }
  // So that `doctor` does not report this worker as missing.
  try {
    database.Write([&](sql::Tx& tx) { JobStore(tx).RemoveWorker(options_.name); });
  } catch (const sql::Failure&) {
    // PruneWorkers removes the row later.
  }
}

void Worker::Impl::Write(sql::Database& database, const std::vector<End>& ends) {
  std::vector<Lease> done, released;
  std::vector<std::pair<const End*, std::chrono::milliseconds>> failed;
  std::vector<const End*> put_off;
  // The latest progress that is not written yet.
  std::vector<JobProgress> last;
  for (const End& end : ends) {
    const Lease lease = end.held->claimed.held();
    if (end.ending == Ending::kDone) {
      done.push_back(lease);
      if (auto progress = end.held->TakeProgress()) last.push_back(std::move(*progress));
    }
    if (end.ending == Ending::kReleased) released.push_back(lease);
    if (end.ending == Ending::kPutOff) put_off.push_back(&end);
    if (end.ending == Ending::kFailed) {
      failed.emplace_back(&end, BackoffAfter(end.held->claimed.job.attempt, Random()));
    }
  }
  if (done.empty() && released.empty() && failed.empty() && put_off.empty()) return;
  database.Write([&](sql::Tx& tx) {
    JobStore store(tx);
    if (!last.empty()) store.SaveProgress(last);
    if (!done.empty()) store.Finish(done);
    if (!released.empty()) store.Release(released);
    for (const auto& [end, delay] : failed) {
      store.Fail(end->held->claimed.held(), end->error, delay);
    }
    for (const End* end : put_off) store.PutOff(end->held->claimed.held(), end->error, end->delay);
  });
}

// --- heartbeat

void Worker::Impl::Beat() {
  const auto renew_every = options_.lease / 3;
  sql::Settings settings = settings_;
  // A renewal that hangs may lose all leases; one that fails costs a third of their time.
  settings.statement_timeout = std::min(settings.statement_timeout, renew_every);
  sql::Database database(settings);
  const auto watch_every = std::min<std::chrono::milliseconds>(kWatchEvery, renew_every);
  auto next_renewal = Clock::now() + renew_every;
  std::unique_lock lock(mutex_);
  while (!beat_.wait_for(lock, watch_every, [&] { return beat_over_; })) {
    lock.unlock();
    const bool renew = Clock::now() >= next_renewal;
    try {
      BeatOnce(database, renew);
      if (renew) next_renewal = Clock::now() + renew_every;
    } catch (const sql::Failure&) {
      // The dispatcher logs that the database is unreachable; here only the duration matters.
    }
    lock.lock();
  }
}

void Worker::Impl::BeatOnce(sql::Database& database, bool renew) {
  std::vector<HeldPtr> held;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, one] : held_) held.push_back(one);
  }
  const auto now = Clock::now();
  // An attempt past its time limit is told to stop, and its lease is no longer renewed: if the body ignores
  // that, the job is taken from it when the lease expires.
  std::vector<HeldPtr> alive;
  for (const HeldPtr& one : held) {
    // Without an answer from the database for a whole lease, assume that another worker has the job.
    if (now > one->renewed() + options_.lease) one->Tell(StopReason::kLost);
    if (one->IsExpired(now)) {
      one->Tell(StopReason::kExpired);
    } else {
      alive.push_back(one);
    }
  }
  std::vector<JobProgress> progress;
  std::vector<Lease> watched, renewed;
  for (const HeldPtr& one : held) {
    watched.push_back(one->claimed.held());
    if (auto taken = one->TakeProgress()) progress.push_back(std::move(*taken));
  }
  for (const HeldPtr& one : alive) renewed.push_back(one->claimed.held());
  if (watched.empty()) return;

  const std::vector<StoppedLease> stopped = database.Write([&](sql::Tx& tx) {
    JobStore store(tx);
    if (renew && !renewed.empty()) store.Renew(renewed, options_.lease);
    if (!progress.empty()) store.SaveProgress(progress);
    return store.Watch(watched);
  });
  if (renew) {
    for (const HeldPtr& one : alive) one->Renewed(now);
  }
  for (const StoppedLease& stop : stopped) {
    // The job may have ended meanwhile; then telling it has no effect.
    const Key key{static_cast<std::int64_t>(stop.lease.job), stop.lease.number};
    const auto one =
        std::find_if(held.begin(), held.end(), [&](const HeldPtr& h) { return KeyOf(*h) == key; });
    if (one != held.end()) (*one)->Tell(stop.is_lost ? StopReason::kLost : StopReason::kCancelled);
  }
}

Worker::Worker(const Config& config, std::span<const JobKind> kinds, Options options)
    : impl_(std::make_shared<Impl>(config, kinds, std::move(options))) {}
Worker::~Worker() = default;

bool Worker::Run() {
  return impl_->Run();
}

void Worker::Stop() {
  impl_->Stop();
}

}  // namespace syncline
