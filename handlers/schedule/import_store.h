#pragma once
// Runs of the kind client_import: a client script's imports, group by group, as one record per administrator
// and ten minutes. Such a run never counts as being in progress.
//
// Locks: all imports of one account wait for each other, before any group is locked; the run's row comes after the group's.
#include <cstdint>

#include "handlers/base/ids.h"
#include "handlers/schedule/lessons/lesson_store.h"
#include "sql/tx.h"

namespace syncline::schedule {

class ImportStore {
 public:
  ImportStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  /// The run that an import of this account belongs to, until the transaction ends.
  std::int64_t Begin();
  /// Whether the group has future lessons.
  bool HasFuture(std::int64_t group, Day today);
  /// Adds one group's outcome to the run. `rejected`: lessons that could not be read.
  void Add(std::int64_t run, std::int64_t group, const Applied& applied, std::int64_t rejected);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::schedule
