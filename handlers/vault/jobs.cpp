// Background jobs of the vault service.
#include "handlers/vault/jobs.h"

#include "handlers/vault/settings.h"
#include "handlers/vault/versions/keeping_flow.h"

namespace syncline::vault {
namespace {

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

constexpr JobKind kJobs[] = {
    {.name = "vault.upkeep", .body = RunUpkeep, .max_running = 1, .is_daily = true},
};

}  // namespace

std::span<const JobKind> Jobs() {
  return kJobs;
}

}  // namespace syncline::vault
