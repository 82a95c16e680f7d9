// Background jobs of the vault service.
#include "handlers/vault/jobs.h"

#include "handlers/vault/settings.h"
#include "handlers/vault/socketio/desktop_flow.h"
#include "handlers/vault/versions/keeping_flow.h"

namespace syncline::vault {
namespace {

using namespace std::chrono_literals;

// Removes what no vault has to keep any longer, vault by vault.
void RunUpkeep(const Job&, Context& context, JobControl& control) {
  const auto event_days = static_cast<int>(context.config().Of<Settings>().event_days);
  for (VaultOwner last{};;) {
    context.SetIdentity({});
    const auto next =
        context.ReadOnce<KeepingStore>([&](KeepingStore& keeping) { return keeping.After(last); });
    if (!next) return;
    last = *next;
    context.SetIdentity({last.user, DeviceId{}});
    control.Progress(0, 0, "versions");
    while (UpkeepStep(control, [&] { return RemoveOldVersions(context, last.vault); }) > 0)
      control.Progress(0, 0, "versions");
    UpkeepStep(control, [&] { return RemoveRemains(context, last.vault, event_days); });
  }
}

void SweepSessions(const Job&, Context& context, JobControl& control) {
  SweepDesktops(context, [&] { control.Progress(0, 0, "sessions"); });
}

constexpr JobKind kJobs[] = {
    {.name = "vault.upkeep", .body = RunUpkeep, .max_running = 1, .is_daily = true},
    {.name = "vault.sweep_sessions", .body = SweepSessions, .max_attempts = 1, .expires = 60s, .every = 30s},
};

}  // namespace

std::span<const JobKind> Jobs() {
  return kJobs;
}

}  // namespace syncline::vault
