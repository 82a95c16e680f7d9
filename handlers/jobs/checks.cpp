#include "handlers/jobs/checks.h"

#include "handlers/base/display.h"
#include "handlers/jobs/job_store.h"

namespace syncline::jobs {
namespace {

using namespace std::chrono_literals;

// Workers update their row every few seconds.
constexpr auto kWorkerSilence = 60s;
constexpr auto kJobPatience = 10min;

std::vector<Finding> CheckWorkers(Context& context, sql::Time now) {
  int alive = 0;
  for (const WorkerRow& worker : context.Read<JobStore>([](JobStore& store) { return store.Workers(); })) {
    alive += now - worker.seen_at < kWorkerSilence;
  }
  if (alive > 0) return {Finding::Ok(CountText(alive, "worker", "workers") + " alive")};
  return {Finding::Problem("none has been seen for a minute", "start syncline-worker")};
}

std::vector<Finding> CheckQueue(Context& context, sql::Time now) {
  std::int64_t dead = 0, queued = 0;
  auto waiting = 0min;
  for (const JobCount& count : context.Read<JobStore>([](JobStore& store) { return store.Count(); })) {
    if (count.state == "dead") dead = count.jobs;
    if (count.state != "queued" || count.jobs == 0) continue;
    queued = count.jobs;
    waiting = std::chrono::duration_cast<std::chrono::minutes>(now - count.oldest_at);
  }
  const std::string queue = std::to_string(queued) + " queued";
  if (waiting > kJobPatience) {
    return {Finding::Problem(queue + ", the oldest for " + std::to_string(waiting.count()) + " minutes",
                             "start more workers, or check their work: syncline-admin jobs list")};
  }
  if (dead > 0) {
    return {Finding::Problem(std::to_string(dead) + " failed for good",
                             "see why and try again: syncline-admin jobs list --state dead")};
  }
  return {Finding::Ok(queue + ", none failed for good")};
}

constexpr DoctorCheck kChecks[] = {
    {"worker", /*needs_database=*/true, CheckWorkers},
    {"jobs", /*needs_database=*/true, CheckQueue},
};

}  // namespace

std::span<const DoctorCheck> Checks() {
  return kChecks;
}

}  // namespace syncline::jobs
