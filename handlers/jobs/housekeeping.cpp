#include "handlers/jobs/housekeeping.h"

#include "handlers/base/blobs.h"
#include "handlers/base/disk_reserve.h"
#include "handlers/jobs/job_store.h"

namespace syncline::jobs {
namespace {

// Done jobs are kept to answer questions about the last days; dead and cancelled ones until an operator has
// had time to see them.
constexpr std::chrono::hours kKeepDone{3 * 24};
constexpr std::chrono::hours kKeepFailed{30 * 24};
// Rows per transaction; keeps transactions short.
constexpr int kPruneRows = 5'000;

void PruneJobs(const Job&, Context& context, JobControl& control) {
  context.Write<JobStore>([](JobStore& store) { store.PruneWorkers(); });
  std::int64_t pruned = 0;
  for (;;) {
    const std::int64_t rows = context.Write<JobStore>(
        [](JobStore& store) { return store.Prune(kKeepDone, kKeepFailed, kPruneRows); });
    pruned += rows;
    if (rows < kPruneRows) return;
    control.Progress(pruned, 0, "finished jobs forgotten");
  }
}

// A new blob is referenced within minutes of being written; a day leaves room for clock differences and for
// investigating problems.
constexpr std::chrono::hours kBlobGrace{24};
constexpr std::int64_t kSweepBlobs = 100;

void SweepUnusedBlobs(const Job&, Context& context, JobControl& control) {
  for (std::int64_t swept = 0;;) {
    const auto go_on = [&] { control.Progress(swept, 0, "unused blobs removed"); };
    const std::int64_t blobs = context.WithDatabase(
        [&](sql::Database& database) { return SweepBlobs(database, kBlobGrace, kSweepBlobs, go_on); });
    swept += blobs;
    if (blobs < kSweepBlobs) return;
  }
}

void WatchDisks(const Job&, Context& context, JobControl&) {
  LogDisks(context);
}

constexpr JobKind kHousekeeping[] = {
    {.name = "blobs.sweep",
     .body = SweepUnusedBlobs,
     .max_attempts = 3,
     .max_running = 1,
     .every = std::chrono::hours(1)},
    {.name = "disk.watch", .body = WatchDisks, .max_attempts = 1, .every = std::chrono::minutes(5)},
    {.name = "jobs.prune", .body = PruneJobs, .max_attempts = 3, .every = std::chrono::hours(1)},
};

}  // namespace

std::span<const JobKind> HousekeepingJobs() {
  return kHousekeeping;
}

}  // namespace syncline::jobs
