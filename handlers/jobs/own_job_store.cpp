#include "handlers/jobs/own_job_store.h"

#include "sql/queries/jobs.h"

namespace syncline::jobs {

std::optional<OwnJob> OwnJobStore::Find(JobId job, DeviceId device, Roles roles) {
  const auto row = tx_.MaybeOne(sql::jobs::find_own_job, job, user_, HasAll(roles, Roles::kAdmin), device);
  if (!row) return std::nullopt;
  return OwnJob{(*row)["job_id"].As<JobId>(),
                (*row)["kind"].As<std::string>(),
                (*row)["state"].As<std::string>(),
                (*row)["attempts"].As<int>(),
                (*row)["cancel_requested"].As<bool>(),
                (*row)["progress_done"].As<std::int64_t>(),
                (*row)["progress_total"].As<std::int64_t>(),
                (*row)["progress_message"].As<std::string>(),
                (*row)["created_at"].As<sql::Time>(),
                (*row)["started_at"].As<std::optional<sql::Time>>(),
                (*row)["finished_at"].As<std::optional<sql::Time>>()};
}

bool OwnJobStore::Cancel(JobId job, Roles roles) {
  return tx_.MaybeOne(sql::jobs::cancel_own_job, job, user_, HasAll(roles, Roles::kAdmin)).has_value();
}

}  // namespace syncline::jobs
