#include "handlers/schedule/import_store.h"

#include "handlers/base/timestamp.h"
#include "sql/queries/schedule.h"

namespace syncline::schedule {
std::int64_t ImportStore::Begin() {
  tx_.Execute(sql::schedule::lock_client_imports, user_);
  if (const auto row = tx_.MaybeOne(sql::schedule::find_client_run, user_))
    return (*row)["run_id"].As<std::int64_t>();
  return tx_.One(sql::schedule::add_client_run, user_)["run_id"].As<std::int64_t>();
}

bool ImportStore::HasFuture(std::int64_t group, Day today) {
  return tx_.One(sql::schedule::has_future_lessons, group, DayText(today))["has_any"].As<bool>();
}

void ImportStore::Add(std::int64_t run, std::int64_t group, const Applied& applied, std::int64_t rejected) {
  tx_.Execute(sql::schedule::add_client_group, run, group, WordOf(applied.kind), applied.found, applied.added,
              applied.changed, applied.removed, rejected);
  tx_.Execute(sql::schedule::sum_client_run, run);
}

}  // namespace syncline::schedule
