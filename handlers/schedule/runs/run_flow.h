#pragma once
// A run, from the claim to its result: fetch the index, save the groups, fetch the pages of groups, write each group in a
// transaction of its own. One thread does all that needs the database; the pages come from PageFetcher.
//
// It may be killed at any moment: what is written is whole groups, and what is left to do is in schedule_run_groups. Another
// worker goes on if the run was given back or started by the clock; a run that a person has started is interrupted instead.
#include <cstdint>

#include "handlers/base/context.h"
#include "handlers/base/job.h"

namespace syncline::schedule {

/// The body of the jobs schedule.sync and schedule.sync_group.
void RunSync(const Job& job, Context& context, JobControl& control);

/// The body of schedule.timer: starts a run if the clock says so.
void RunTimer(const Job& job, Context& context, JobControl& control);

/// Ends runs that nobody works on.
void Reap(Context& context);

}  // namespace syncline::schedule
