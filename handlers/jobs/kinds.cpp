// A service adds its list here: one include and one line of Collect.
#include "handlers/jobs/kinds.h"

#include <set>
#include <span>
#include <stdexcept>
#include <string>

#include "handlers/jobs/job_store.h"
#if __has_include("handlers/anki/jobs.h")
#include "handlers/anki/jobs.h"
#define SYNCLINE_HAS_ANKI_JOBS 1
#endif

namespace syncline {
namespace {

// Done jobs are of interest for as long as somebody may ask what happened yesterday; dead ones until an
// operator has had time to look.
constexpr std::chrono::hours kKeepDone{3 * 24};
constexpr std::chrono::hours kKeepFailed{30 * 24};
// Rows in one transaction: short enough that nobody notices.
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

constexpr JobKind kHousekeeping[] = {
    {.name = "jobs.prune", .body = PruneJobs, .max_attempts = 3, .every = std::chrono::hours(1)},
};

void Collect(std::span<const JobKind> kinds, std::vector<JobKind>& all) {
  all.insert(all.end(), kinds.begin(), kinds.end());
}

}  // namespace

std::vector<JobKind> JobKinds() {
  std::vector<JobKind> all;
  Collect(kHousekeeping, all);
#ifdef SYNCLINE_HAS_ANKI_JOBS
  Collect(anki::Jobs(), all);
#endif
  std::set<std::string> names;
  for (const JobKind& kind : all) {
    if (!names.insert(kind.name).second)
      throw std::logic_error(std::string("two job kinds named ") + kind.name);
  }
  return all;
}

}  // namespace syncline
