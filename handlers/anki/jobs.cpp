// Background jobs of the collection service. An import or archive job works on one account; the sweeps and
// the check work on all accounts.
#include "handlers/anki/jobs.h"

#include <limits>

#include "handlers/anki/collection/check_flow.h"
#include "handlers/anki/collection/check_store.h"
#include "handlers/anki/file/full_sync_flow.h"
#include "handlers/anki/settings.h"
#include "handlers/anki/sweep_store.h"
#include "handlers/base/json_input.h"
#include "handlers/base/log.h"

namespace syncline::anki {
namespace {

using namespace std::chrono_literals;

constexpr int kAtOnce = 100;
constexpr std::int64_t kSweptRows = 20'000;

// The only argument of Import and Archive.
std::int32_t GenerationOf(const Job& job) {
  return ReadJson(job.args, [](const JsonObject& args) {
    return static_cast<std::int32_t>(args.Int("generation", 0, std::numeric_limits<std::int32_t>::max()));
  });
}

// While the disk is nearly full, imports and archives wait.
template <typename F>
void WhenDiskHasRoom(F&& work) {
  try {
    work();
  } catch (const Error& e) {
    if (e.code() != "disk_full") throw;
    throw JobPutOff(e.what(), 30s);
  }
}

void Import(const Job& job, Context& context, JobControl& control) {
  WhenDiskHasRoom([&] { ImportFile(context, GenerationOf(job), control); });
  context.Write<CheckStore>([](CheckStore& store) { store.CountContent(); });
}

void Archive(const Job& job, Context& context, JobControl& control) {
  WhenDiskHasRoom([&] {
    ArchiveGeneration(context, GenerationOf(job), [&] { control.Progress(0, 0, "removing rows"); });
  });
}

// Collections from before texts were counted, or without an import.
void CountUncounted(Context& context, JobControl& control) {
  UserId last{std::numeric_limits<std::int64_t>::min()};
  for (bool has_more = true; has_more;) {
    const auto users =
        context.Read<CheckStore>([&](CheckStore& store) { return store.UncountedAfter(last, kAtOnce); });
    for (const UserId user : users) {
      control.Progress(0, 0, "counting texts");
      context.SetIdentity({user, {}});
      context.Write<CheckStore>([](CheckStore& store) { store.CountContent(); });
      last = user;
    }
    has_more = users.size() == kAtOnce;
  }
}

// Ends the expired sessions of clients that never returned, clears their staged rows, and gives back the room
// of staged rows. Autovacuum does that, too, if it has the time.
void SweepSessions(const Job&, Context& context, JobControl& control) {
  for (bool has_more = true; has_more;) {
    const auto users = context.Read<SweepStore>(
        [](SweepStore& store) { return store.AccountsWithExpiredSessions(kAtOnce); });
    for (const UserId user : users) {
      control.Progress(0, 0, "expired sessions");
      context.SetIdentity({user, {}});
      context.Write<SessionStore>([](SessionStore& sessions) { sessions.EndExpired(); });
    }
    has_more = users.size() == kAtOnce;
  }
  CountUncounted(context, control);
  context.Write<SweepStore>([](SweepStore& store) { store.ExpireStagingRates(); });
  if (!context.Read<SweepStore>([](SweepStore& store) { return store.IsStagingBloated(); })) return;
  control.Progress(0, 0, "room of staged rows");
  context.ReadOnce<SweepStore>([](SweepStore& store) { store.VacuumStaging(); });
  context.Write<SweepStore>([](SweepStore& store) { store.TruncateEmptyStaging(); });
}

void SweepHistory(const Job&, Context& context, JobControl& control) {
  const std::int64_t days = context.config().Of<Settings>().history_days;
  context.Write<SweepStore>([&](SweepStore& store) { store.ExpireProblems(days); });
  for (;;) {
    const auto expired =
        context.Read<SweepStore>([&](SweepStore& store) { return store.ExpiredHistory(days, kAtOnce); });
    for (const auto& [user, generation] : expired) {
      control.Progress(0, 0, "expired history");
      context.SetIdentity({user, {}});
      // An entry that has not been archived still has rows.
      while (context.Write<FullSyncStore>(
          [id = generation](FullSyncStore& store) { return store.DeleteSomeRows(id, kSweptRows); })) {
        control.Progress(0, 0, "expired history");
      }
      context.Write<FullSyncStore>([&, id = generation](FullSyncStore& store) {
        const auto entry = store.LockHistory(id);
        if (entry) store.Forget(*entry);
      });
    }
    if (expired.size() < kAtOnce) return;
  }
}

void CheckCollections(const Job& job, Context& context, JobControl& control) {
  UserId last{std::numeric_limits<std::int64_t>::min()};
  std::int64_t checked = 0, wrong = 0;
  for (;;) {
    const auto users =
        context.Read<CheckStore>([&](CheckStore& store) { return store.AccountsAfter(last, kAtOnce); });
    for (const UserId user : users) {
      context.SetIdentity({user, {}});
      const auto findings = CheckCollection(context, control);
      for (const std::string& finding : findings) {
        LogLine(LogLevel::kError)
            .Add("op", "anki.check")
            .Add("job", static_cast<std::int64_t>(job.id))
            .Add("user", static_cast<std::int64_t>(user))
            .Add("finding", finding)
            .Write();
      }
      ++checked;
      wrong += findings.empty() ? 0 : 1;
      last = user;
      control.Progress(checked, checked, std::to_string(wrong) + " collections with findings");
    }
    if (users.size() < kAtOnce) return;
  }
}

const JobKind kJobs[] = {
    {.name = "anki.import", .body = Import},
    {.name = "anki.archive", .body = Archive},
    {.name = "anki.sweep_sessions", .body = SweepSessions, .every = 300s},
    {.name = "anki.sweep_history", .body = SweepHistory, .every = 3600s},
    {.name = "anki.check",
     .body = CheckCollections,
     .max_attempts = 1,
     .max_running = 1,
     .expires = 12h,
     .is_daily = true},
};

}  // namespace

std::span<const JobKind> Jobs() {
  return kJobs;
}

}  // namespace syncline::anki
