// Background jobs of the anime service. Those that fill the catalogue have no account, because all accounts
// share it.
#include "handlers/anime/jobs.h"

#include "handlers/anime/list_import_flow.h"
#include "handlers/anime/list_import_store.h"
#include "handlers/anime/settings.h"
#include "handlers/anime/sync_flow.h"
#include "handlers/anime/sync_store.h"
#include "handlers/anime/title_rules.h"
#include "handlers/base/json_input.h"

namespace syncline::anime {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kSweptRows = 10'000, kSweptTitles = 1'000;
// Long enough for users to return and read an import's report.
constexpr std::int64_t kImportDays = 30;
constexpr std::size_t kSweptImports = 100;

std::int64_t Argument(const Job& job, const char* name) {
  return ReadJson(job.args, [&](const JsonObject& args) { return args.Int(name, 1, kMaxId); });
}

void RunSyncTitle(const Job& job, Context& context, JobControl& control) {
  const bool is_patient = ReadJson(
      job.args, [](const JsonObject& args) { return args.Maybe("is_patient").Bool().value_or(false); });
  SyncTitle(context, Argument(job, "mal_id"), is_patient, control);
}

void RunSyncTop(const Job& job, Context& context, JobControl& control) {
  SyncTop(context, Argument(job, "limit"), control);
}

void RunWarmUp(const Job&, Context& context, JobControl& control) {
  if (context.config().Of<Settings>().anime_warm_up == "on") WarmUp(context, control);
}

// Calls `act` on the rows of `find` until it finds none. `act` must make `find` skip the row.
template <typename Find, typename Act>
void SweepImports(Context& context, JobControl& control, Find find, Act act) {
  for (std::size_t found = kSweptImports; found == kSweptImports;) {
    control.Progress(0, 0, "imports");
    found = UpkeepStep(control, [&] {
      const auto imports = context.Read<ListImportStore>(find);
      for (const ImportOfAccount& import : imports) {
        context.SetIdentity({import.user, {}});
        context.Write<ListImportStore>([&](ListImportStore& store) { act(store, import); });
      }
      return imports.size();
    });
  }
}

void Sweep(const Job&, Context& context, JobControl& control) {
  context.Write<SyncStore>([](SyncStore& store) { store.SweepMissing(); });
  const std::int64_t days = context.config().Of<Settings>().anime_history_days;
  for (std::int64_t deleted = kSweptRows; deleted == kSweptRows;) {
    control.Progress(0, 0, "history");
    deleted = UpkeepStep(control, [&] {
      return context.Write<SyncStore>([&](SyncStore& store) { return store.SweepHistory(days, kSweptRows); });
    });
  }
  for (std::optional<std::int64_t> after = 0; after;) {
    control.Progress(0, 0, "titles");
    after = UpkeepStep(control, [&] {
      return context.Write<SyncStore>(
          [&](SyncStore& store) { return store.SweepStubs(*after, kSweptTitles); });
    });
  }
  SweepImports(
      context, control, [](ListImportStore& imports) { return imports.Stranded(kSweptImports); },
      [](ListImportStore& imports, const ImportOfAccount& import) {
        imports.Failed(import.job, import.is_cancelled ? "cancelled" : "internal");
      });
  SweepImports(
      context, control, [](ListImportStore& imports) { return imports.Expired(kImportDays, kSweptImports); },
      [](ListImportStore& imports, const ImportOfAccount& import) { imports.Delete(import.job); });
}

// As many as Jikan's background budget admits, so that a long queue is not claimed only to be put off.
// Counted per ten seconds, so that an interactive request does not wait longer than that for jobs that
// started before.
RateLimit RateOfSyncs(const Config& config) {
  constexpr std::int64_t kTensInMinute = 6;
  const std::int64_t per_minute = config.Of<Settings>().anime_jikan_jobs_per_minute;
  return {.count = static_cast<int>((per_minute + kTensInMinute - 1) / kTensInMinute), .per = 10s};
}

// After hours of upstream failure, the next request for the title fetches it.
const JobKind kJobs[] = {
    {.name = "anime.sync_title",
     .body = RunSyncTitle,
     .max_attempts = 5,
     .max_running = 2,
     .rate = RateOfSyncs,
     .expires = 600s},
    {.name = "anime.sync_top", .body = RunSyncTop, .max_attempts = 5, .max_running = 1, .expires = 1800s},
    {.name = "anime.warm_up", .body = RunWarmUp, .max_attempts = 3, .max_running = 1, .every = 24h},
    {.name = "anime.import_list", .body = ImportList, .max_running = 4},
    {.name = "anime.sweep", .body = Sweep, .is_daily = true},
};

}  // namespace

std::span<const JobKind> Jobs() {
  return kJobs;
}

}  // namespace syncline::anime
