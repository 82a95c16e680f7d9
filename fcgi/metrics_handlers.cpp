#include "fcgi/metrics_handlers.h"

#include <string>
#include <vector>

#include "handlers/base/disk_reserve.h"
#include "handlers/base/errors.h"
#include "handlers/base/metrics.h"
#include "sql/migrate.h"
#include "sql/queries/blobs.h"
#include "sql/queries/jobs.h"

namespace syncline::front {
namespace {

// At most this many jobs of one state are counted, so that a backlog does not slow down scrapes.
constexpr std::int64_t kMaxCounted = 50'000;

class StateStore {
 public:
  StateStore(sql::Tx& tx, UserId /*nobody*/) : tx_(tx) {}
  /// Adds the current state of the database.
  void AddTo(MetricsPage& page) {
    sql::Answer backlog = tx_.Ask(sql::jobs::backlog, kMaxCounted);
    sql::Answer held = tx_.Ask(sql::blobs::held_bytes);
    sql::Answer stored = tx_.Ask(sql::blobs::stored_bytes);
    for (const sql::Row& row : backlog.Get()) {
      const auto kind = row["kind"].As<std::string>(), state = row["state"].As<std::string>();
      page.Gauge("syncline_jobs", {{"kind", kind}, {"state", state}},
                 "Unfinished and dead jobs; at most 50000 of each state are counted",
                 row["jobs"].As<std::int64_t>());
    }
    for (const sql::Row& row : held.Get()) {
      const auto service = row["service"].As<std::string>();
      page.Gauge("syncline_blob_held_bytes", {{"service", service}},
                 "Bytes of blobs that accounts hold, as counted by their quotas",
                 row["bytes"].As<std::int64_t>());
    }
    page.Gauge("syncline_blob_stored_bytes", {}, "Bytes of blobs on the database's disk",
               stored.Get()[0]["bytes"].As<std::int64_t>());
  }

 private:
  sql::Tx& tx_;
};

bool AddDatabaseState(MetricsPage& page, Context& context) {
  try {
    // A copy, because the block may run twice.
    page = context.Read<StateStore>([&page](StateStore& store) {
      MetricsPage with_state = page;
      store.AddTo(with_state);
      return with_state;
    });
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kBusy) throw;
    return false;
  }
}

}  // namespace

Response GetMetrics(Request&, Context& context) {
  MetricsPage page;
  if (!context.config().metrics_dir.empty()) page.Collect(context.config().metrics_dir);
  const std::string migration = std::to_string(sql::Migrations().back().number);
  page.Gauge("syncline_build_info", {{"version", SYNCLINE_VERSION}, {"migration", migration}},
             "What this program was built from", 1);
  for (const WatchedDisk& disk : WatchedDisks(context.config())) {
    if (disk.is_missing) continue;
    page.Gauge("syncline_disk_free_bytes", {{"folder", disk.folder}}, "Free bytes on a watched disk",
               disk.free_bytes);
    page.Gauge("syncline_disk_reserve_bytes", {{"folder", disk.folder}},
               "Below this many free bytes, large writes are refused", disk.reserve_bytes);
  }
  const bool has_database = AddDatabaseState(page, context);
  page.Gauge("syncline_up", {{"what", "database"}}, "Whether it could be queried for this page",
             has_database);
  return Response{200, {}, page.Text(), std::nullopt}.With("Content-Type",
                                                           "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace syncline::front
