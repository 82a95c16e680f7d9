// Background jobs of the schedule service. They have no account, because all accounts share the timetable.
#include "handlers/schedule/jobs.h"

#include "handlers/schedule/runs/run_flow.h"
#include "handlers/schedule/runs/run_store.h"

namespace syncline::schedule {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kRunDays = 90, kChangeDays = 400, kSweptRuns = 20, kSweptChanges = 10'000;

void RunReaper(const Job&, Context& context, JobControl&) {
  Reap(context);
}

void Sweep(const Job&, Context& context, JobControl& control) {
  for (std::int64_t deleted = kSweptRuns; deleted == kSweptRuns;) {
    control.Progress(0, 0, "runs");
    deleted = UpkeepStep(control, [&] {
      return context.Write<RunStore>([](RunStore& runs) { return runs.SweepRuns(kRunDays, kSweptRuns); });
    });
  }
  for (std::int64_t deleted = kSweptChanges; deleted == kSweptChanges;) {
    control.Progress(0, 0, "changes");
    deleted = UpkeepStep(control, [&] {
      return context.Write<RunStore>(
          [](RunStore& runs) { return runs.SweepChanges(kChangeDays, kSweptChanges); });
    });
  }
}

// A run has its own deadline, at most two hours (schedule_deadline_s).
const JobKind kJobs[] = {
    {.name = "schedule.sync", .body = RunSync, .max_attempts = 3, .expires = 8000s},
    {.name = "schedule.sync_group", .body = RunSync, .max_attempts = 3, .max_running = 2, .expires = 8000s},
    {.name = "schedule.timer", .body = RunTimer, .max_attempts = 1, .expires = 60s, .every = 3600s},
    {.name = "schedule.reap", .body = RunReaper, .max_attempts = 1, .expires = 60s, .every = 30s},
    {.name = "schedule.sweep", .body = Sweep, .is_daily = true},
};

}  // namespace

std::span<const JobKind> Jobs() {
  return kJobs;
}

}  // namespace syncline::schedule
