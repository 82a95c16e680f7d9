#pragma once
// The worker's own jobs: what belongs to no service.
#include <span>

#include "handlers/base/job.h"

namespace syncline::jobs {

///   blobs.sweep  removes blobs that nobody refers to; every hour
///   jobs.prune   forgets finished jobs and workers that are gone; every hour
std::span<const JobKind> HousekeepingJobs();

}  // namespace syncline::jobs
