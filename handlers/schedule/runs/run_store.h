#pragma once
// Runs: admission, progress, results. A run is what the API calls an update; its job is in the table jobs.
//
// At most one run of the whole timetable is in progress; a partial unique index decides between concurrent
// triggers. A claimed run has the number of that claim, its lease: a worker with an older lease changes
// nothing. handlers/schedule/README.md shows the states.
//
// Locks: a group before its run (lesson_store.h); the reaper skips runs that are locked.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/ids.h"
#include "handlers/schedule/lessons/lesson_store.h"
#include "sql/tx.h"

namespace syncline::schedule {

struct Run {
  std::int64_t id = 0;
  std::string kind, trigger, state, phase;  ///< words of the table
  std::optional<std::int64_t> group{};
  sql::Time started_at{};
  std::optional<sql::Time> claimed_at{}, heartbeat_at{}, finished_at{};
  std::int64_t groups_total = 0, groups_done = 0, groups_updated = 0, groups_unchanged = 0, groups_failed = 0,
               groups_held = 0, groups_skipped = 0;
  std::int64_t lessons_added = 0, lessons_changed = 0, lessons_removed = 0, warnings = 0;
  std::string current_group;
  std::optional<std::string> error_code{};
  std::optional<std::string> error_detail{};  ///< for administrators

  bool IsActive() const { return !finished_at.has_value(); }
};

struct RunGroup {
  std::int64_t group = 0;
  std::string name, state;
  std::int64_t attempts = 0, found = 0, added = 0, changed = 0, removed = 0, warnings = 0;
  std::optional<std::int64_t> http_status{}, took_ms{};
  std::optional<std::string> error_code{}, error_detail{};
};

struct NewRun {
  std::string_view kind;                ///< "full", "incremental", "single"
  std::string_view trigger;             ///< "button", "script", "timer", "command"
  std::optional<std::int64_t> group{};  ///< of a single one
  bool has_account = true;              ///< false: no account has triggered it
};

struct ClaimedRun {
  Fence fence;
  std::string kind, trigger, state, phase;
  std::optional<std::int64_t> group{};
  sql::Time claimed_at{};  ///< by the first worker
};

/// A page that is still to be read.
struct PendingGroup {
  std::int64_t group = 0, upstream_id = 0;
  std::string name{};
  bool has_heading = false;  ///< its last page contained the group's name
  std::string etag{}, last_modified{};
};

struct GroupEnd {
  std::string_view state;  ///< "ok", "unchanged", "failed", "held"
  std::int64_t attempts = 0, took_ms = 0;
  std::optional<std::int64_t> http_status{};
  Applied applied{};
  std::int64_t warnings = 0;
  std::optional<std::string> error_code{}, detail{};
};

struct RunTotals {
  std::int64_t total = 0, updated = 0, failed = 0, held = 0, skipped = 0;
  std::optional<std::string> only_code{};  ///< of all failures, if they have one in common
};

struct TimerState {
  bool is_active = false;
  std::optional<sql::Time> good_at{}, full_at{};
};

class RunStore {
 public:
  RunStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  /// Queues a run with its job. None: one of its kind is in progress (FindActive).
  std::optional<std::int64_t> Admit(const NewRun& run);
  std::optional<std::int64_t> FindActive(std::optional<std::int64_t> group);
  std::optional<Run> Find(std::int64_t run);
  std::optional<Run> Latest();
  /// `states`: none for all. `order`: "started_at", "finished_at", or one of them after a minus.
  std::vector<Run> Page(const std::vector<std::string>& states, std::string_view order, std::int64_t limit,
                        std::int64_t offset);
  std::int64_t Count(const std::vector<std::string>& states);
  std::vector<RunGroup> Groups(std::int64_t run, std::int64_t limit);
  /// The new state, "cancelled" or "cancelling". None: it has ended already, or there is none.
  std::optional<std::string> Cancel(std::int64_t run);
  /// Ends runs whose worker is lost. Returns how many.
  std::int64_t Reap(std::int64_t stale_seconds);
  bool HasWorker();
  /// Since a group was last read by itself; none: not within the last minutes.
  std::optional<std::int64_t> SecondsSinceSingle(std::int64_t group);
  std::optional<PendingGroup> FindGroupPage(std::int64_t group);

  // For the worker. Those with a fence throw RunFenced if the run is no longer this worker's.

  std::optional<ClaimedRun> Claim(std::int64_t run);
  /// Sends a heartbeat. Returns the state: "running", or "cancelling" if the run must end.
  std::string Beat(const Fence& fence, std::string_view phase, std::string_view current_group);
  /// Selects the groups that the run will read: all of them, or the most important ones. Returns how many.
  std::int64_t BeginGroups(const Fence& fence, const std::vector<std::int64_t>& groups, bool all,
                           std::int64_t warnings);
  std::vector<PendingGroup> Pending(std::int64_t run);
  /// Records the outcome of a group's page; does nothing if it is already recorded.
  void EndGroup(const Fence& fence, std::int64_t group, const GroupEnd& end);
  /// The same, in a transaction that has checked the fence: after ApplyGroup or Confirm.
  void EndFencedGroup(const Fence& fence, std::int64_t group, const GroupEnd& end);
  void KeepValidators(std::int64_t group, std::int64_t upstream_id, const std::string& etag,
                      const std::string& last_modified);
  void Confirm(const Fence& fence, std::int64_t group);
  void SkipRest(const Fence& fence);
  RunTotals Totals(std::int64_t run);
  void Finish(const Fence& fence, std::string_view state, const std::optional<std::string>& code,
              const std::optional<std::string>& detail);
  void Requeue(const Fence& fence);

  /// Milliseconds until this caller may send a request to the site; the next one has to wait `gap_ms` longer.
  std::int64_t TakeSiteTurn(std::int64_t gap_ms);
  void DelaySite(std::int64_t ms);
  /// Records a complete index with this number of groups. False: it lists far fewer than the last good one,
  /// so missing groups must not be treated as gone. `day_offset`: days from our date to that of the site.
  bool KeepIndex(std::int64_t groups, const std::string& period, std::int64_t day_offset);
  /// Of the last index.
  std::int64_t DayOffset();
  /// Records whether an index has mostly unknown names. True: every index had them for days, so the site is
  /// right after all.
  bool KeepForeign(bool is_foreign);

  TimerState Timer();
  std::int64_t SweepRuns(std::int64_t days, std::int64_t limit);
  std::int64_t SweepChanges(std::int64_t days, std::int64_t limit);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::schedule
