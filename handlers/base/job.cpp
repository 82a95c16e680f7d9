#include "handlers/base/job.h"

#include "handlers/base/errors.h"
#include "sql/queries/jobs.h"

namespace syncline {

JobId EnqueueJob(sql::Tx& tx, const NewJob& job) {
  const std::optional<std::string_view> key =
      job.unique_key.empty() ? std::nullopt : std::optional<std::string_view>(job.unique_key);
  // No row means that another job with this key was added or finished concurrently. Each try sees what the
  // previous one missed, so more than two are rare.
  for (int attempt = 0; attempt < 10; ++attempt) {
    const auto row = tx.MaybeOne(sql::jobs::enqueue_job, job.kind, job.user, job.args, key, job.priority,
                                 job.delay.count(), job.is_shared);
    if (row) return (*row)["job_id"].As<JobId>();
  }
  throw Busy("busy", "job " + std::string(job.kind) + ": too many conflicts on its unique key");
}

std::optional<sql::Time> LastJobDone(sql::Tx& tx, std::string_view kind) {
  return tx.One(sql::jobs::last_done, kind)["finished_at"].As<std::optional<sql::Time>>();
}

}  // namespace syncline
