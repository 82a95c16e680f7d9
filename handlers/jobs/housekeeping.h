#pragma once
// The worker's own jobs, which belong to no service.
#include <span>

#include "handlers/base/job.h"

namespace syncline::jobs {

///   blobs.sweep  removes unreferenced blobs; every hour
///   jobs.prune   deletes finished jobs and rows of dead workers; every hour
std::span<const JobKind> HousekeepingJobs();

}  // namespace syncline::jobs
