#include "handlers/jobs/job_store.h"

#include <algorithm>
#include <cmath>

#include "handlers/base/errors.h"
#include "sql/errors.h"
#include "sql/queries/jobs.h"

namespace syncline {
namespace {

constexpr std::chrono::milliseconds kFirstBackoff{5'000};
constexpr std::chrono::milliseconds kLongestBackoff{3'600'000};
// The column holds 2000 characters; 2000 bytes are never more than that.
constexpr std::size_t kMaxErrorBytes = 2000;
constexpr std::size_t kMaxMessageBytes = 200;

struct LeaseArrays {
  std::vector<std::int64_t> jobs, numbers;
  explicit LeaseArrays(std::span<const Lease> leases) {
    for (const Lease& lease : leases) Add(lease);
  }
  void Add(const Lease& lease) {
    jobs.push_back(static_cast<std::int64_t>(lease.job));
    numbers.push_back(lease.number);
  }
};

// Length of the UTF-8 sequence at the start of `text`; 0 if it is invalid (also overlong, or a surrogate).
std::size_t SequenceLength(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t length = byte(0) < 0x80                      ? 1
                             : byte(0) >= 0xC2 && byte(0) < 0xE0 ? 2
                             : byte(0) >= 0xE0 && byte(0) < 0xF0 ? 3
                             : byte(0) >= 0xF0 && byte(0) < 0xF5 ? 4
                                                                 : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if ((byte(0) == 0xE0 && byte(1) < 0xA0) || (byte(0) == 0xED && byte(1) > 0x9F) ||
      (byte(0) == 0xF0 && byte(1) < 0x90) || (byte(0) == 0xF4 && byte(1) > 0x8F)) {
    return 0;
  }
  return length;
}

JobRow ReadJob(const sql::Row& row) {
  JobRow job;
  job.id = row["job_id"].As<JobId>();
  job.kind = row["kind"].As<std::string>();
  job.user = row["user_id"].As<std::optional<UserId>>();
  job.user_name = row["user_name"].As<std::optional<std::string>>();
  job.args = row["args"].As<std::string>();
  job.state = row["state"].As<std::string>();
  job.unique_key = row["unique_key"].As<std::optional<std::string>>();
  job.worker = row["worker"].As<std::optional<std::string>>();
  job.last_error = row["last_error"].As<std::optional<std::string>>();
  job.priority = row["priority"].As<int>();
  job.attempts = row["attempts"].As<int>();
  job.max_attempts = row["max_attempts"].As<int>();
  job.cancel_requested = row["cancel_requested"].As<bool>();
  job.progress_done = row["progress_done"].As<std::int64_t>();
  job.progress_total = row["progress_total"].As<std::int64_t>();
  job.progress_message = row["progress_message"].As<std::string>();
  job.created_at = row["created_at"].As<sql::Time>();
  job.run_at = row["run_at"].As<sql::Time>();
  job.started_at = row["started_at"].As<std::optional<sql::Time>>();
  job.heartbeat_at = row["heartbeat_at"].As<std::optional<sql::Time>>();
  job.finished_at = row["finished_at"].As<std::optional<sql::Time>>();
  return job;
}

}  // namespace

std::chrono::milliseconds BackoffAfter(int attempts, double random) {
  const double doubled = static_cast<double>(kFirstBackoff.count()) * std::exp2(std::max(attempts, 1) - 1);
  const double capped = std::min(doubled, static_cast<double>(kLongestBackoff.count()));
  return std::chrono::milliseconds(std::llround(capped * (0.75 + random * 0.5)));
}

std::string StorableText(std::string_view text, std::size_t max_bytes) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = SequenceLength(text);
    const std::size_t taken = length == 0 ? 1 : length;
    if (out.size() + taken > max_bytes) break;
    const bool is_control = static_cast<unsigned char>(text[0]) < 0x20 || text[0] == 0x7F;
    if (length == 0) {
      out += '?';
    } else if (is_control) {
      out += ' ';
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(taken);
  }
  return out;
}

JobStore::JobStore(sql::Tx& tx) : tx_(tx) {
  tx_.Later(sql::jobs::plan_by_index);
}

std::vector<ClaimedJob> JobStore::Claim(std::string_view worker, int free_threads,
                                        std::chrono::milliseconds lease, std::span<const JobKind> kinds,
                                        const Config& config) {
  std::vector<std::string> names;
  std::vector<std::int64_t> max_running, max_attempts, batch, rate_counts, rate_times;
  for (const JobKind& kind : kinds) {
    names.emplace_back(kind.name);
    max_running.push_back(kind.max_running);
    max_attempts.push_back(kind.max_attempts);
    batch.push_back(kind.batch);
    const RateLimit rate = kind.rate == nullptr ? RateLimit{0, {}} : kind.rate(config);
    rate_counts.push_back(rate.count);
    rate_times.push_back(rate.per.count());
  }
  // A separate statement: the claim's snapshot must be newer than the commit of the claim it waited for.
  tx_.Later(sql::jobs::begin_claim);
  const sql::Rows rows = tx_.Query(sql::jobs::claim_jobs, worker, free_threads, lease.count(), names,
                                   max_running, max_attempts, batch, rate_counts, rate_times);
  std::vector<std::pair<std::int64_t, ClaimedJob>> placed;
  for (const sql::Row& row : rows) {
    ClaimedJob claimed;
    claimed.job = {row["job_id"].As<JobId>(), row["kind"].As<std::string>(),
                   row["user_id"].As<std::optional<UserId>>(), row["args"].As<std::string>(),
                   row["attempts"].As<int>()};
    claimed.lease = row["lease"].As<std::int64_t>();
    placed.emplace_back(row["place"].As<std::int64_t>(), std::move(claimed));
  }
  std::sort(placed.begin(), placed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<ClaimedJob> claimed;
  claimed.reserve(placed.size());
  for (auto& [place, job] : placed) claimed.push_back(std::move(job));
  return claimed;
}

std::int64_t JobStore::Finish(std::span<const Lease> leases) {
  const LeaseArrays arrays(leases);
  return tx_.Execute(sql::jobs::finish_jobs, arrays.jobs, arrays.numbers);
}

std::int64_t JobStore::Release(std::span<const Lease> leases) {
  const LeaseArrays arrays(leases);
  return tx_.Execute(sql::jobs::release_jobs, arrays.jobs, arrays.numbers);
}

std::int64_t JobStore::Renew(std::span<const Lease> leases, std::chrono::milliseconds lease) {
  const LeaseArrays arrays(leases);
  return tx_.Execute(sql::jobs::renew_leases, arrays.jobs, arrays.numbers, lease.count());
}

std::int64_t JobStore::SaveProgress(std::span<const JobProgress> progress) {
  LeaseArrays arrays({});
  std::vector<std::int64_t> done, total;
  std::vector<std::string> messages;
  for (const JobProgress& one : progress) {
    arrays.Add(one.lease);
    done.push_back(one.done);
    total.push_back(one.total);
    messages.push_back(StorableText(one.message, kMaxMessageBytes));
  }
  return tx_.Execute(sql::jobs::save_progress, arrays.jobs, arrays.numbers, done, total, messages);
}

std::optional<std::string> JobStore::Fail(const Lease& lease, std::string_view error,
                                          std::chrono::milliseconds delay) {
  const auto row = tx_.MaybeOne(sql::jobs::fail_job, lease.job, lease.number,
                                StorableText(error, kMaxErrorBytes), delay.count());
  if (!row) return std::nullopt;
  return (*row)["state"].As<std::string>();
}

void JobStore::PutOff(const Lease& lease, std::string_view reason, std::chrono::milliseconds delay) {
  tx_.Execute(sql::jobs::put_off_job, lease.job, lease.number, StorableText(reason, kMaxErrorBytes),
              delay.count());
}

bool JobStore::FinishHere(const Lease& lease) {
  return tx_.Execute(sql::jobs::finish_job_here, lease.job, lease.number) == 1;
}

std::vector<StoppedLease> JobStore::Watch(std::span<const Lease> leases) {
  const LeaseArrays arrays(leases);
  std::vector<StoppedLease> stopped;
  for (const sql::Row& row : tx_.Query(sql::jobs::watch_leases, arrays.jobs, arrays.numbers)) {
    stopped.push_back(
        {{row["job_id"].As<JobId>(), row["lease"].As<std::int64_t>()}, row["is_lost"].As<bool>()});
  }
  return stopped;
}

std::int64_t JobStore::Promote(int limit) {
  return tx_.Execute(sql::jobs::promote_jobs, limit);
}

std::int64_t JobStore::Rescue(int limit) {
  return tx_.Execute(sql::jobs::rescue_jobs, limit);
}

bool JobStore::TakeTick(const JobKind& kind) {
  if (!tx_.MaybeOne(sql::jobs::take_tick, kind.name, kind.every->count())) return false;
  EnqueueTick(kind);
  return true;
}

bool JobStore::TakeDailyTick(const JobKind& kind, sql::Time tick) {
  if (!tx_.MaybeOne(sql::jobs::take_daily_tick, kind.name, tick)) return false;
  EnqueueTick(kind);
  return true;
}

// The tick is used up even while the previous job is unfinished: runs of a slow kind must not pile up.
void JobStore::EnqueueTick(const JobKind& kind) {
  EnqueueJob(tx_, {.kind = kind.name, .unique_key = "tick"});
}

std::int64_t JobStore::Prune(std::chrono::seconds keep_done, std::chrono::seconds keep_failed, int limit) {
  return tx_.Execute(sql::jobs::prune_jobs, keep_done.count(), keep_failed.count(), limit);
}

void JobStore::PruneWorkers() {
  tx_.Later(sql::jobs::prune_workers);
}

void JobStore::BeatWorker(std::string_view name, int threads) {
  tx_.Execute(sql::jobs::beat_worker, name, threads);
}

void JobStore::RemoveWorker(std::string_view name) {
  tx_.Execute(sql::jobs::remove_worker, name);
}

std::vector<JobRow> JobStore::List(const JobFilter& filter) {
  std::vector<JobRow> jobs;
  for (const sql::Row& row :
       tx_.Query(sql::jobs::list_jobs, filter.state, filter.kind, filter.user, filter.limit)) {
    jobs.push_back(ReadJob(row));
  }
  return jobs;
}

std::optional<JobRow> JobStore::Find(JobId job) {
  const auto row = tx_.MaybeOne(sql::jobs::find_job, job);
  if (!row) return std::nullopt;
  return ReadJob(*row);
}

std::vector<JobCount> JobStore::Count() {
  std::vector<JobCount> counts;
  for (const sql::Row& row : tx_.Query(sql::jobs::count_jobs)) {
    counts.push_back(
        {row["state"].As<std::string>(), row["jobs"].As<std::int64_t>(), row["oldest_at"].As<sql::Time>()});
  }
  return counts;
}

std::vector<WorkerRow> JobStore::Workers() {
  std::vector<WorkerRow> workers;
  for (const sql::Row& row : tx_.Query(sql::jobs::list_workers)) {
    workers.push_back({row["name"].As<std::string>(), row["threads"].As<int>(),
                       row["started_at"].As<sql::Time>(), row["seen_at"].As<sql::Time>()});
  }
  return workers;
}

void JobStore::Retry(JobId job) {
  try {
    if (tx_.Execute(sql::jobs::retry_job, job) == 1) return;
  } catch (const sql::ConstraintViolated& violated) {
    if (violated.constraint() != "jobs_unique") throw;
    throw Conflict("job_exists", "an unfinished job has the same unique key");
  }
  if (!tx_.MaybeOne(sql::jobs::find_job, job)) throw NotFound("no_such_job");
  throw Conflict("job_not_retryable");
}

std::string JobStore::Cancel(JobId job) {
  if (const auto row = tx_.MaybeOne(sql::jobs::cancel_job, job)) return (*row)["state"].As<std::string>();
  if (!tx_.MaybeOne(sql::jobs::find_job, job)) throw NotFound("no_such_job");
  throw Conflict("job_finished");
}

}  // namespace syncline
