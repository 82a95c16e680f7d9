#include "handlers/base/job.h"

#include "handlers/base/errors.h"
#include "sql/queries/jobs.h"

namespace syncline {

JobId EnqueueJob(sql::Tx& tx, const NewJob& job) {
  const std::optional<std::string_view> key =
      job.unique_key.empty() ? std::nullopt : std::optional<std::string_view>(job.unique_key);
  // No row means that the other job of this key came or ended under our hands; each further try sees what the
  // last one met, so more than two are already a rare fight.
  for (int attempt = 0; attempt < 10; ++attempt) {
    const auto row = tx.MaybeOne(sql::jobs::enqueue_job, job.kind, job.user, job.args, key, job.priority,
                                 job.delay.count());
    if (row) return (*row)["job_id"].As<JobId>();
  }
  throw Busy("busy", "job " + std::string(job.kind) + ": its unique key changes hands too fast");
}

std::optional<sql::Time> LastJobDone(sql::Tx& tx, std::string_view kind) {
  return tx.One(sql::jobs::last_done, kind)["finished_at"].As<std::optional<sql::Time>>();
}

}  // namespace syncline
