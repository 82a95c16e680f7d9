#include "handlers/schedule/runs/run_store.h"

#include <algorithm>
#include <utility>

#include "handlers/base/job.h"
#include "handlers/base/json_writer.h"
#include "handlers/schedule/lessons/name_rules.h"
#include "handlers/schedule/runs/run_rules.h"
#include "sql/queries/schedule.h"

namespace syncline::schedule {
namespace {

// An index with fewer groups than this part of the last good one is not complete.
constexpr std::int64_t kGoodPercent = 70;
constexpr std::size_t kMaxDetail = 500;

Run ReadRun(const sql::Row& row) {
  Run run;
  run.id = row["run_id"].As<std::int64_t>();
  run.kind = row["kind"].As<std::string>();
  run.trigger = row["trigger"].As<std::string>();
  run.state = row["state"].As<std::string>();
  run.phase = row["phase"].As<std::string>();
  run.group = row["group_id"].As<std::optional<std::int64_t>>();
  run.started_at = row["started_at"].As<sql::Time>();
  run.claimed_at = row["claimed_at"].As<std::optional<sql::Time>>();
  run.heartbeat_at = row["heartbeat_at"].As<std::optional<sql::Time>>();
  run.finished_at = row["finished_at"].As<std::optional<sql::Time>>();
  run.groups_total = row["groups_total"].As<std::int64_t>();
  run.groups_done = row["groups_done"].As<std::int64_t>();
  run.groups_updated = row["groups_updated"].As<std::int64_t>();
  run.groups_unchanged = row["groups_unchanged"].As<std::int64_t>();
  run.groups_failed = row["groups_failed"].As<std::int64_t>();
  run.groups_held = row["groups_held"].As<std::int64_t>();
  run.groups_skipped = row["groups_skipped"].As<std::int64_t>();
  run.lessons_added = row["lessons_added"].As<std::int64_t>();
  run.lessons_changed = row["lessons_changed"].As<std::int64_t>();
  run.lessons_removed = row["lessons_removed"].As<std::int64_t>();
  run.warnings = row["warnings"].As<std::int64_t>();
  run.current_group = row["current_group"].As<std::string>();
  run.error_code = row["error_code"].As<std::optional<std::string>>();
  run.error_detail = row["error_detail"].As<std::optional<std::string>>();
  return run;
}

PendingGroup ReadPending(const sql::Row& row) {
  return {.group = row["group_id"].As<std::int64_t>(),
          .upstream_id = row["upstream_id"].As<std::optional<std::int64_t>>().value_or(0),
          .name = row["name"].As<std::string>()};
}

// A detail may contain arbitrary text from the site.
std::optional<std::string> Shortened(const std::optional<std::string>& detail) {
  return detail ? std::optional(ShownText(*detail, kMaxDetail)) : std::nullopt;
}

std::optional<std::string> NoneIfEmpty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

}  // namespace

std::optional<std::int64_t> RunStore::Admit(const NewRun& run) {
  const auto account = run.has_account ? std::optional(static_cast<std::int64_t>(user_)) : std::nullopt;
  const auto row = tx_.MaybeOne(sql::schedule::insert_run, run.kind, run.trigger, account, run.group);
  if (!row) return std::nullopt;
  const auto id = (*row)["run_id"].As<std::int64_t>();
  // People wait for it: before the upkeep of other services.
  const JobId job = EnqueueJob(tx_, {.kind = run.group ? "schedule.sync_group" : "schedule.sync",
                                     .args = JsonWriter().Object().Add("run", id).Finish(),
                                     .priority = 10});
  tx_.Later(sql::schedule::set_run_job, id, job);
  return id;
}

std::optional<std::int64_t> RunStore::FindActive(std::optional<std::int64_t> group) {
  const auto row = tx_.MaybeOne(sql::schedule::find_active_run, group);
  return row ? std::optional((*row)["run_id"].As<std::int64_t>()) : std::nullopt;
}

std::optional<Run> RunStore::Find(std::int64_t run) {
  const auto row = tx_.MaybeOne(sql::schedule::find_run, run);
  return row ? std::optional(ReadRun(*row)) : std::nullopt;
}

std::optional<Run> RunStore::Latest() {
  const auto row = tx_.MaybeOne(sql::schedule::latest_run);
  return row ? std::optional(ReadRun(*row)) : std::nullopt;
}

std::vector<Run> RunStore::Page(const std::vector<std::string>& states, std::string_view order,
                                std::int64_t limit, std::int64_t offset) {
  std::vector<Run> runs;
  for (const auto& row : tx_.Query(sql::schedule::page_runs, states, order, limit, offset))
    runs.push_back(ReadRun(row));
  return runs;
}

std::int64_t RunStore::Count(const std::vector<std::string>& states) {
  return tx_.One(sql::schedule::count_runs, states)["runs"].As<std::int64_t>();
}

std::vector<RunGroup> RunStore::Groups(std::int64_t run, std::int64_t limit) {
  std::vector<RunGroup> groups;
  for (const auto& row : tx_.Query(sql::schedule::list_run_groups, run, limit)) {
    groups.push_back({.group = row["group_id"].As<std::int64_t>(),
                      .name = row["name"].As<std::string>(),
                      .state = row["state"].As<std::string>(),
                      .attempts = row["attempts"].As<std::int64_t>(),
                      .found = row["found"].As<std::int64_t>(),
                      .added = row["added"].As<std::int64_t>(),
                      .changed = row["changed"].As<std::int64_t>(),
                      .removed = row["removed"].As<std::int64_t>(),
                      .warnings = row["warnings"].As<std::int64_t>(),
                      .http_status = row["http_status"].As<std::optional<std::int64_t>>(),
                      .took_ms = row["took_ms"].As<std::optional<std::int64_t>>(),
                      .error_code = row["error_code"].As<std::optional<std::string>>(),
                      .error_detail = row["error_detail"].As<std::optional<std::string>>()});
  }
  return groups;
}

std::optional<std::string> RunStore::Cancel(std::int64_t run) {
  const auto row = tx_.MaybeOne(sql::schedule::cancel_run, run);
  return row ? std::optional((*row)["state"].As<std::string>()) : std::nullopt;
}

std::int64_t RunStore::Reap(std::int64_t stale_seconds) {
  return tx_.Query(sql::schedule::reap_runs, stale_seconds, kLongestQueued.count()).size();
}

bool RunStore::HasWorker() {
  return tx_.One(sql::schedule::has_worker)["has_any"].As<bool>();
}

std::optional<std::int64_t> RunStore::SecondsSinceSingle(std::int64_t group) {
  return tx_.One(sql::schedule::last_single_run, group)["seconds"].As<std::optional<std::int64_t>>();
}

std::optional<PendingGroup> RunStore::FindGroupPage(std::int64_t group) {
  const auto row = tx_.MaybeOne(sql::schedule::find_group_page, group);
  return row ? std::optional(ReadPending(*row)) : std::nullopt;
}

std::optional<ClaimedRun> RunStore::Claim(std::int64_t run) {
  const auto row = tx_.MaybeOne(sql::schedule::claim_run, run);
  if (!row) return std::nullopt;
  return ClaimedRun{.fence = {run, (*row)["lease"].As<std::int64_t>()},
                    .kind = (*row)["kind"].As<std::string>(),
                    .trigger = (*row)["trigger"].As<std::string>(),
                    .state = (*row)["state"].As<std::string>(),
                    .phase = (*row)["phase"].As<std::string>(),
                    .group = (*row)["group_id"].As<std::optional<std::int64_t>>(),
                    .claimed_at = (*row)["claimed_at"].As<sql::Time>()};
}

std::string RunStore::Beat(const Fence& fence, std::string_view phase, std::string_view current_group) {
  const auto row = tx_.MaybeOne(sql::schedule::beat_run, fence.run, fence.lease, phase, current_group);
  if (!row) throw RunFenced();
  return (*row)["state"].As<std::string>();
}

std::int64_t RunStore::BeginGroups(const Fence& fence, const std::vector<std::int64_t>& groups, bool all,
                                   std::int64_t warnings) {
  tx_.Later(sql::schedule::add_run_groups, fence.run, groups, all);
  const auto row = tx_.MaybeOne(sql::schedule::begin_groups, fence.run, fence.lease, warnings);
  if (!row) throw RunFenced();
  return (*row)["groups_total"].As<std::int64_t>();
}

std::vector<PendingGroup> RunStore::Pending(std::int64_t run) {
  std::vector<PendingGroup> pending;
  for (const auto& row : tx_.Query(sql::schedule::pending_groups, run)) {
    PendingGroup one = ReadPending(row);
    one.has_heading = row["has_heading"].As<bool>();
    one.etag = row["etag"].As<std::optional<std::string>>().value_or("");
    one.last_modified = row["last_modified"].As<std::optional<std::string>>().value_or("");
    pending.push_back(std::move(one));
  }
  return pending;
}

void RunStore::EndGroup(const Fence& fence, std::int64_t group, const GroupEnd& end) {
  if (!tx_.MaybeOne(sql::schedule::hold_run_lease, fence.run, fence.lease)) throw RunFenced();
  EndFencedGroup(fence, group, end);
}

void RunStore::EndFencedGroup(const Fence& fence, std::int64_t group, const GroupEnd& end) {
  const std::optional<std::string> detail = Shortened(end.detail);
  tx_.Later(sql::schedule::end_group, fence.run, group, end.state, end.attempts, end.http_status, end.took_ms,
            end.applied.found, end.applied.added, end.applied.changed, end.applied.removed, end.warnings,
            end.error_code, detail);
  if (end.state == "failed") tx_.Later(sql::schedule::fail_page, group, end.error_code.value_or("internal"));
}

void RunStore::KeepValidators(std::int64_t group, std::int64_t upstream_id, const std::string& etag,
                              const std::string& last_modified) {
  constexpr std::size_t kMaxETag = 500, kMaxDate = 100;
  const auto tag = etag.size() <= kMaxETag ? NoneIfEmpty(etag) : std::nullopt;
  const auto date = last_modified.size() <= kMaxDate ? NoneIfEmpty(last_modified) : std::nullopt;
  tx_.Later(sql::schedule::keep_validators, group, tag, date, upstream_id);
}

void RunStore::Confirm(const Fence& fence, std::int64_t group) {
  if (!tx_.MaybeOne(sql::schedule::fence_run, fence.run, fence.lease)) throw RunFenced();
  tx_.Later(sql::schedule::confirm_page, group);
}

void RunStore::SkipRest(const Fence& fence) {
  if (!tx_.MaybeOne(sql::schedule::hold_run_lease, fence.run, fence.lease)) throw RunFenced();
  tx_.Later(sql::schedule::skip_groups, fence.run);
}

RunTotals RunStore::Totals(std::int64_t run) {
  const auto row = tx_.One(sql::schedule::sum_run_groups, run);
  RunTotals totals{.total = row["total"].As<std::int64_t>(),
                   .updated = row["updated"].As<std::int64_t>(),
                   .failed = row["failed"].As<std::int64_t>(),
                   .held = row["held"].As<std::int64_t>(),
                   .skipped = row["skipped"].As<std::int64_t>()};
  const auto first = row["first_code"].As<std::optional<std::string>>();
  if (first && first == row["last_code"].As<std::optional<std::string>>()) totals.only_code = first;
  return totals;
}

void RunStore::Finish(const Fence& fence, std::string_view state, const std::optional<std::string>& code,
                      const std::optional<std::string>& detail) {
  const std::optional<std::string> shortened = Shortened(detail);
  if (!tx_.MaybeOne(sql::schedule::finish_run, fence.run, fence.lease, state, code, shortened))
    throw RunFenced();
}

void RunStore::Requeue(const Fence& fence) {
  tx_.Later(sql::schedule::requeue_run, fence.run, fence.lease);
}

std::int64_t RunStore::TakeSiteTurn(std::int64_t gap_ms) {
  return tx_.One(sql::schedule::take_site_turn, gap_ms)["wait_ms"].As<std::int64_t>();
}

void RunStore::DelaySite(std::int64_t ms) {
  tx_.Later(sql::schedule::delay_site, ms);
}

bool RunStore::KeepForeign(bool is_foreign) {
  const auto row = tx_.One(sql::schedule::keep_foreign, is_foreign);
  return row["is_for_long"].As<std::optional<bool>>().value_or(false);
}

std::int64_t RunStore::DayOffset() {
  return tx_.One(sql::schedule::find_day_offset)["day_offset"].As<std::int64_t>();
}

bool RunStore::KeepIndex(std::int64_t groups, const std::string& period, std::int64_t day_offset) {
  const auto site = tx_.One(sql::schedule::lock_site);
  const auto good = site["good_groups"].As<std::int64_t>();
  // A site that stays smaller for days is right in the end.
  const bool is_good = groups * 100 >= good * kGoodPercent ||
                       site["is_small_for_long"].As<std::optional<bool>>().value_or(false);
  tx_.Later(sql::schedule::save_site, is_good ? std::optional(groups) : std::nullopt, period, day_offset);
  return is_good;
}

TimerState RunStore::Timer() {
  const auto row = tx_.One(sql::schedule::timer_state);
  return {.is_active = row["is_active"].As<bool>(),
          .good_at = row["good_at"].As<std::optional<sql::Time>>(),
          .full_at = row["full_at"].As<std::optional<sql::Time>>()};
}

std::int64_t RunStore::SweepRuns(std::int64_t days, std::int64_t limit) {
  return tx_.Execute(sql::schedule::sweep_runs, days, limit);
}

std::int64_t RunStore::SweepChanges(std::int64_t days, std::int64_t limit) {
  return tx_.Execute(sql::schedule::sweep_changes, days, limit);
}

}  // namespace syncline::schedule
