#pragma once
// The only code that writes a group's lessons, for runs and for clients' imports.
//
// A transaction of its caller: lock the group, check that the run still holds its lease, compare what the source names
// with the rows inside the source's window, write the difference, note each change, raise the group's revision by one.
// Readers see the old timetable or the new one. If nothing changed, only the time of the check is written.
//
// Locks: the group's row, then the run's row, then subjects, rooms and teachers (new rows by ascending key).
// Applying a teacher's new name locks groups by ascending id, then teachers, and so needs a separate
// transaction.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/context.h"
#include "handlers/base/ids.h"
#include "handlers/schedule/lessons/lesson_rules.h"
#include "sql/tx.h"

namespace syncline::schedule {

/// The lease of a run, as its worker has claimed it (handlers/schedule/runs).
struct Fence {
  std::int64_t run = 0, lease = 0;
};

/// Thrown inside the transaction when the run is no longer this worker's, or is to be cancelled.
class RunFenced : public std::runtime_error {
 public:
  RunFenced() : std::runtime_error("the run is no longer held") {}
};

/// A source's data about one group.
struct GroupPage {
  std::int64_t group = 0;
  std::vector<Lesson> lessons;
  Window window;
  /// HashOf, if the page of a run; none for a client's import, after which the next page is compared in any case.
  std::optional<std::string> hash{};
  bool has_heading = false;  ///< the page contains the group's name
};

struct ApplyRules {
  Day today;                          ///< of the timetable's time zone
  std::string online_rooms{};         ///< the setting
  std::optional<std::int64_t> run{};  ///< noted with the changes: of a run, or a client's import
  std::optional<Fence> fence{};       ///< of a run; an import has none
};

struct Applied {
  enum class Kind {
    kApplied,    ///< some lesson was added, changed or removed
    kUnchanged,  ///< the stored lessons are already the same
    kHeld,       ///< suspiciously few lessons: nothing changed, until a later source confirms it
  } kind = Kind::kUnchanged;
  std::int64_t found = 0;  ///< lessons of the source
  std::int64_t added = 0, changed = 0, removed = 0;
};

/// "ok", "unchanged", "held": the values in schedule_run_groups.
std::string_view WordOf(Applied::Kind kind);

class LessonStore {
 public:
  LessonStore(sql::Tx& tx, UserId) : tx_(tx) {}

  /// Applies `page`; lessons of more than two weeks ago are only added, never removed. Error NotFound
  /// "no_such_group". Throws RunFenced. A page that would remove all future lessons, or more than half of ten
  /// or more, is kHeld until a page of a later run or import confirms it.
  Applied ApplyGroup(const GroupPage& page, const ApplyRules& rules);

  /// Applies teachers' new names from pages, each teacher's at most once a day, and raises the revisions of
  /// the groups and the sequences of the lessons that show them; new numbers raise revisions only. Names that
  /// are not due yet, or fail, stay recorded for the next call.
  void TakeNames(Day today);

 private:
  sql::Tx& tx_;
};

}  // namespace syncline::schedule
