#include "handlers/account/jobs.h"

#include "handlers/account/blob_check_flow.h"
#include "handlers/account/login/account_store.h"
#include "handlers/account/login/invitation_store.h"
#include "handlers/account/login/login_failure_store.h"
#include "handlers/account/login/registration_flow.h"
#include "handlers/account/tokens/token_store.h"
#include "handlers/base/log.h"

namespace syncline::account {
namespace {

using namespace std::chrono_literals;

// Rows per transaction; the job can be stopped between two batches.
constexpr std::int64_t kRowsAtOnce = 5'000;
constexpr int kAccountsAtOnce = 100;

// Calls `sweep` until it returns fewer than kRowsAtOnce.
template <typename Sweep>
void InBatches(JobControl& control, const char* what, Sweep sweep) {
  std::int64_t swept = 0;
  for (;;) {
    const std::int64_t count = sweep();
    swept += count;
    if (count < kRowsAtOnce) return;
    control.Progress(swept, 0, what);
  }
}

void SweepFailures(const Job&, Context& context, JobControl& control) {
  InBatches(control, "failed logins forgotten", [&] {
    return context.Write<LoginFailureStore>(
        [](LoginFailureStore& failures) { return failures.Sweep(kRowsAtOnce); });
  });
}

void SweepSessions(const Job&, Context& context, JobControl& control) {
  InBatches(control, "expired sessions", [&] {
    return context.Write<TokenKeyStore>(
        [](TokenKeyStore& tokens) { return tokens.SweepSessions(kRowsAtOnce); });
  });
  InBatches(control, "invitations", [&] {
    return context.Write<InvitationStore>(
        [](InvitationStore& invitations) { return invitations.Sweep(kRowsAtOnce); });
  });
}

void RemoveDeleted(const Job&, Context& context, JobControl& control) {
  const auto users =
      context.Read<AccountStore>([](AccountStore& accounts) { return accounts.Deleted(kAccountsAtOnce); });
  for (const UserId user : users) {
    const auto begin = [&](AccountStore& accounts) { return accounts.BeginRemoval(user); };
    if (context.Write<AccountStore>(begin))
      RemoveAccount(context, user, [&] { control.Progress(0, 0, "accounts"); });
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
    {.name = "account.sweep_sessions",
     .body = SweepSessions,
     .max_attempts = 3,
     .max_running = 1,
     .every = 1h},
    {.name = "account.remove_deleted",
     .body = RemoveDeleted,
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
