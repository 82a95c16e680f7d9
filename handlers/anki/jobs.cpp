// Background jobs of the collection service. An import or archive job works on one account; the sweeps and
// the check work on all accounts.
#include "handlers/anki/jobs.h"

#include <limits>
#include <string>
#include <vector>

#include "handlers/anki/collection/check_flow.h"
#include "handlers/anki/collection/check_store.h"
#include "handlers/anki/collection/point_store.h"
#include "handlers/anki/file/full_sync_flow.h"
#include "handlers/anki/media/media_check_flow.h"
#include "handlers/anki/media/media_check_store.h"
#include "handlers/anki/media/media_store.h"
#include "handlers/anki/package/import_flow.h"
#include "handlers/anki/sender_store.h"
#include "handlers/anki/settings.h"
#include "handlers/anki/sweep_store.h"
#include "handlers/base/blobs.h"
#include "handlers/base/disk_reserve.h"
#include "handlers/base/json_input.h"
#include "handlers/base/log.h"

namespace syncline::anki {
namespace {

using namespace std::chrono_literals;

constexpr int kAtOnce = 100;
constexpr std::int64_t kSweptRows = 20'000;
constexpr int kSweptMedia = 500;
constexpr int kSweptPieces = 16;

// The only argument of Import and Archive.
std::int32_t GenerationOf(const Job& job) {
  return ReadJson(job.args, [](const JsonObject& args) {
    return static_cast<std::int32_t>(args.Int("generation", 0, std::numeric_limits<std::int32_t>::max()));
  });
}

void Import(const Job& job, Context& context, JobControl& control) {
  WhenDiskHasRoom([&] { ImportFile(context, GenerationOf(job), control); });
  context.Write<CheckStore>([](CheckStore& store) { store.CountContent(); });
}

// The package, as it was received.
void FetchPackage(Context& context, BlobId blob, TempFile& file, JobControl& control) {
  DiskReserve disk(context);
  context.WithDatabase([&](sql::Database& database) {
    ReadBlob(database, context.user(), kService, blob, [&](std::string_view bytes) {
      control.Progress(0, 0, "reading the package");
      disk.Wrote(bytes.size());
      file.Write(bytes);
    });
  });
}

// Ends the job and the import together.
void FailImport(const Job& job, Context& context, JobControl& control, const std::string& code,
                const std::string& message) {
  context.Write<ImportStore, Transaction>([&](ImportStore& imports, Transaction& transaction) {
    imports.Failed(job.id, code, message);
    control.FinishIn(transaction.tx);
  });
}

void RunImport(const Job& job, Context& context, JobControl& control) {
  const auto import = context.Read<ImportStore>([&](ImportStore& imports) { return imports.Find(job.id); });
  // The account has been removed.
  if (!import || !import->package) return;
  DiskReserve(context).Require(import->file_bytes);
  TempFile package(context.config().temp_dir);
  FetchPackage(context, *import->package, package, control);
  const ImportHost host{.name = std::to_string(static_cast<std::int64_t>(job.id)),
                        .progress = [&](std::int64_t done, std::int64_t total,
                                        std::string_view step) { control.Progress(done, total, step); },
                        .commit =
                            [&](sql::Tx& tx, const ImportReport& report) {
                              ImportStore(tx, context.user()).Done(job.id, Print(report));
                              control.FinishIn(tx);
                            }};
  ImportPackage(context, package, import->kind, ParseImportOptions(import->options), host);
}

void ImportPackageJob(const Job& job, Context& context, JobControl& control) {
  constexpr auto kAgain = 2s;
  try {
    WhenDiskHasRoom([&] { RunImport(job, context, control); });
  } catch (const PackageRefused& refused) {
    FailImport(job, context, control, refused.code(), refused.what());
  } catch (const FileRefused& refused) {
    FailImport(job, context, control, "collection_refused", refused.what());
  } catch (const ImportPutOff& later) {
    throw JobPutOff(later.reason, kAgain);
  } catch (const Error& e) {
    if (e.code() != "over_quota") throw;
    FailImport(job, context, control, e.code(), "Your storage on this server is full.");
  }
}

void Archive(const Job& job, Context& context, JobControl& control) {
  WhenDiskHasRoom([&] {
    ArchiveGeneration(context, GenerationOf(job), [&] { control.Progress(0, 0, "removing rows"); });
  });
}

// Calls `each` with the results of `list`, at most kAtOnce at a time, until it returns fewer.
template <typename List, typename Each>
void InBatches(List list, Each each) {
  for (;;) {
    const auto batch = list();
    for (const auto& one : batch) each(one);
    if (batch.size() < kAtOnce) return;
  }
}

// Collections from before texts were counted, or without an import.
void CountUncounted(Context& context, JobControl& control) {
  UserId last{std::numeric_limits<std::int64_t>::min()};
  InBatches(
      [&] {
        return context.Read<CheckStore>(
            [&](CheckStore& store) { return store.UncountedAfter(last, kAtOnce); });
      },
      [&](UserId user) {
        control.Progress(0, 0, "counting texts");
        context.SetIdentity({user, {}});
        context.Write<CheckStore>([](CheckStore& store) { store.CountContent(); });
        last = user;
      });
}

// Ends the expired sessions of clients that never returned, clears their staged rows, and gives back the room
// of staged rows. Autovacuum does that, too, if it has the time.
void SweepSessions(const Job&, Context& context, JobControl& control) {
  InBatches(
      [&] {
        return context.Read<SweepStore>(
            [](SweepStore& store) { return store.AccountsWithExpiredSessions(kAtOnce); });
      },
      [&](UserId user) {
        control.Progress(0, 0, "expired sessions");
        context.SetIdentity({user, {}});
        context.Write<SessionStore>([](SessionStore& sessions) { sessions.EndExpired(); });
      });
  CountUncounted(context, control);
  context.Write<SweepStore, SenderStore>([](SweepStore& store, SenderStore& senders) {
    store.ExpireStagingRates();
    senders.Sweep();
  });
  if (!context.Read<SweepStore>([](SweepStore& store) { return store.IsStagingBloated(); })) return;
  control.Progress(0, 0, "room of staged rows");
  context.ReadOnce<SweepStore>([](SweepStore& store) { store.VacuumStaging(); });
  context.Write<SweepStore>([](SweepStore& store) { store.TruncateEmptyStaging(); });
}

// Deletes media history that has expired.
void SweepMedia(Context& context, JobControl& control, std::int64_t days) {
  InBatches(
      [&] {
        return context.Read<SweepStore>(
            [&](SweepStore& store) { return store.AccountsWithOldMedia(days, kAtOnce); });
      },
      [&](UserId user) {
        context.SetIdentity({user, {}});
        do {
          control.Progress(0, 0, "expired media");
        } while (context.Write<MediaStore>(
            [&](MediaStore& media) { return media.ExpireHistory(days, kSweptMedia); }));
      });
}

void SweepPoints(Context& context, JobControl& control, std::int64_t days) {
  InBatches(
      [&] {
        return context.Read<SweepStore>(
            [&](SweepStore& store) { return store.PointsExpired(days, kAtOnce); });
      },
      [&](const SweepStore::ExpiredPoints& points) {
        control.Progress(0, 0, "expired points of the history");
        context.SetIdentity({points.user, {}});
        context.Write<PointStore, CollectionStore>([&](PointStore& store, CollectionStore& collections) {
          collections.Lock();
          store.Forget(points.generation, points.usn);
        });
      });
}

// Deletes the kept rows of dropped points, in steps short enough not to delay a sync of that account.
void SweepForgotten(Context& context, JobControl& control) {
  InBatches(
      [&] {
        return context.Read<SweepStore>(
            [&](SweepStore& store) { return store.AccountsWithForgottenPoints(kAtOnce); });
      },
      [&](UserId user) {
        context.SetIdentity({user, {}});
        do {
          control.Progress(0, 0, "rows of forgotten points");
        } while (
            context.Write<PointStore, CollectionStore>([&](PointStore& store, CollectionStore& collections) {
              collections.Lock();
              return store.DeleteForgotten(kSweptPieces);
            }));
      });
}

void SweepImports(Context& context, JobControl& control, std::int64_t days) {
  InBatches(
      [&] {
        return context.Read<SweepStore>(
            [&](SweepStore& store) { return store.ExpiredImports(days, kAtOnce); });
      },
      [&](const std::pair<UserId, JobId>& import) {
        control.Progress(0, 0, "expired imports");
        context.SetIdentity({import.first, {}});
        context.Write<ImportStore>([&](ImportStore& imports) { imports.Delete(import.second); });
      });
}

void SweepCollections(Context& context, JobControl& control, std::int64_t days) {
  InBatches(
      [&] {
        return context.Read<SweepStore>(
            [&](SweepStore& store) { return store.ExpiredHistory(days, kAtOnce); });
      },
      [&](const std::pair<UserId, std::int32_t>& expired) {
        const std::int32_t generation = expired.second;
        control.Progress(0, 0, "expired history");
        context.SetIdentity({expired.first, {}});
        // An entry that has not been archived still has rows.
        while (context.Write<FullSyncStore>(
            [&](FullSyncStore& store) { return store.DeleteSomeRows(generation, kSweptRows); })) {
          control.Progress(0, 0, "expired history");
        }
        context.Write<FullSyncStore>([&](FullSyncStore& store) {
          const auto entry = store.LockHistory(generation);
          if (entry) store.Forget(*entry);
        });
      });
}

void SweepHistory(const Job&, Context& context, JobControl& control) {
  const std::int64_t days = context.config().Of<Settings>().history_days;
  SweepPoints(context, control, days);
  SweepImports(context, control, days);
  context.Write<SweepStore>([&](SweepStore& store) { store.ExpireProblems(days); });
  SweepMedia(context, control, days);
  SweepCollections(context, control, days);
  SweepForgotten(context, control);
}

// Calls `check` for all accounts that `accounts_after` lists, and logs what it finds.
template <typename AccountsAfter>
void CheckAll(const Job& job, Context& context, JobControl& control, const char* what,
              AccountsAfter accounts_after, std::vector<std::string> (*check)(Context&, JobControl&)) {
  UserId last{std::numeric_limits<std::int64_t>::min()};
  std::int64_t checked = 0, wrong = 0;
  InBatches([&] { return accounts_after(last); },
            [&](UserId user) {
              context.SetIdentity({user, {}});
              const auto findings = check(context, control);
              for (const std::string& finding : findings) {
                LogLine(LogLevel::kError)
                    .Add("op", job.kind)
                    .Add("job", static_cast<std::int64_t>(job.id))
                    .Add("user", static_cast<std::int64_t>(user))
                    .Add("finding", finding)
                    .Write();
              }
              ++checked;
              wrong += findings.empty() ? 0 : 1;
              last = user;
              control.Progress(checked, checked, std::to_string(wrong) + " " + what + " with findings");
            });
}

void CheckCollections(const Job& job, Context& context, JobControl& control) {
  CheckAll(
      job, context, control, "collections",
      [&](UserId last) {
        return context.Read<CheckStore>(
            [&](CheckStore& store) { return store.AccountsAfter(last, kAtOnce); });
      },
      CheckCollection);
}

void CheckAllMedia(const Job& job, Context& context, JobControl& control) {
  CheckAll(
      job, context, control, "media folders",
      [&](UserId last) {
        return context.Read<MediaCheckStore>(
            [&](MediaCheckStore& store) { return store.AccountsAfter(last, kAtOnce); });
      },
      CheckMedia);
}

const JobKind kJobs[] = {
    {.name = "anki.import", .body = Import},
    {.name = "anki.archive", .body = Archive},
    {.name = "anki.import_package", .body = ImportPackageJob},
    {.name = "anki.sweep_sessions", .body = SweepSessions, .every = 300s},
    {.name = "anki.sweep_history", .body = SweepHistory, .every = 3600s},
    {.name = "anki.check",
     .body = CheckCollections,
     .max_attempts = 1,
     .max_running = 1,
     .expires = 12h,
     .is_daily = true},
    {.name = "anki.check_media",
     .body = CheckAllMedia,
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
