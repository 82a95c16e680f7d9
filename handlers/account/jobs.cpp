#include "handlers/account/jobs.h"

#include "handlers/account/blob_check_flow.h"
#include "handlers/account/login_failure_store.h"
#include "handlers/base/log.h"

namespace syncline::account {
namespace {

using namespace std::chrono_literals;

// Rows per transaction; the job can be stopped between two batches.
constexpr std::int64_t kFailuresAtOnce = 5'000;

void SweepFailures(const Job&, Context& context, JobControl& control) {
  std::int64_t swept = 0;
  for (;;) {
    const std::int64_t count = context.Write<LoginFailureStore>(
        [](LoginFailureStore& failures) { return failures.Sweep(kFailuresAtOnce); });
    swept += count;
    if (count < kFailuresAtOnce) return;
    control.Progress(swept, 0, "failed logins forgotten");
  }
}

void ReportBlobs(const Job& job, Context& context, JobControl& control) {
  const auto findings = CheckBlobs(context, control);
  for (const std::string& finding : findings) {
    LogLine(LogLevel::kError)
        .Add("op", "account.check_blobs")
        .Add("job", static_cast<std::int64_t>(job.id))
        .Add("finding", finding)
        .Write();
  }
  control.Progress(1, 1, std::to_string(findings.size()) + " findings");
}

constexpr JobKind kJobs[] = {
    {.name = "account.sweep_failures",
     .body = SweepFailures,
     .max_attempts = 3,
     .max_running = 1,
     .every = 1h},
    {.name = "account.check_blobs",
     .body = ReportBlobs,
     .max_attempts = 1,
     .max_running = 1,
     .expires = 12h,
     .is_daily = true},
};

}  // namespace

std::span<const JobKind> Jobs() {
  return kJobs;
}

}  // namespace syncline::account
