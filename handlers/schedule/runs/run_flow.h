#pragma once
// A run, from the claim to its result: fetch the index, save the groups, fetch the pages of groups, write each group in a
// transaction of its own. One thread does all database work; the pages come from PageFetcher.
//
// It may be killed at any moment: groups are written atomically, and the remaining ones are in
// schedule_run_groups. Another worker continues if the run was returned to the queue or started by the timer;
// a run that a person started is interrupted instead.
#include <cstdint>

#include "handlers/base/context.h"
#include "handlers/base/job.h"

namespace syncline::schedule {

/// The body of the jobs schedule.sync and schedule.sync_group.
void RunSync(const Job& job, Context& context, JobControl& control);

/// The body of schedule.timer: starts a run if one is due.
void RunTimer(const Job& job, Context& context, JobControl& control);

/// Ends runs whose worker is lost.
void Reap(Context& context);

}  // namespace syncline::schedule
