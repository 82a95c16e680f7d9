#pragma once
// Decisions about runs: their outcome, when to retry a page, when to give up, when the timer starts one.
// Pure.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "handlers/schedule/runs/run_store.h"

namespace syncline::schedule {

/// Why a run has not read all of its groups.
enum class RunStop { kNone, kBreaker, kDeadline, kCancelled };

struct RunResult {
  std::string state;
  std::optional<std::string> code;
};
/// All pages read: success. Otherwise partial if at least 80 % were, or the deadline has ended it; else failed.
RunResult ResultOf(const RunTotals& totals, RunStop stop);

/// The pause before attempt `attempt` (2 or more): `first`, then four times as long each time, plus up to a
/// quarter of jitter by `random` (0 to 1); at least the time the site asks for, but five minutes at most.
std::chrono::milliseconds PauseBefore(int attempt, std::chrono::milliseconds first, double random,
                                      std::optional<std::chrono::milliseconds> asked);

/// The circuit breaker of a run. It stops the run when `in_a_row` groups in a row fail in all their attempts,
/// when as many attempts in a row fail as those groups would have, or when more than 30 % of the first 50
/// groups fail.
class Breaker {
 public:
  Breaker(std::int64_t in_a_row, std::int64_t tries) : in_a_row_(in_a_row), tries_(tries) {}
  /// Of one request.
  void CountTry(bool is_good);
  /// Of one group, after its last request.
  void CountGroup(bool is_good);
  bool IsOpen() const { return is_open_; }

 private:
  std::int64_t in_a_row_, tries_, failed_tries_in_a_row_ = 0, failed_in_a_row_ = 0, failed_ = 0, counted_ = 0;
  bool is_open_ = false;
};

/// Whether a retry may have another outcome.
bool IsWorthAnotherTry(int http_status);

/// A run that no worker takes for this long has failed.
inline constexpr std::chrono::seconds kLongestQueued{300};
/// Whether a run seems to have no live worker, or to remain unclaimed: then call the reaper, which decides.
bool IsSilent(const Run& run, std::chrono::system_clock::time_point now, std::chrono::seconds stale);

/// The mode that the timer starts at a full hour: "full" once a day after `full_hour`, "incremental"
/// otherwise. None: no run is due, a run is in progress, or the last successful one ended within an hour, or
/// half of `every_hours` if that is less. `local`: now, in the zone of the timetable; `local_full`: when the
/// last good full run began, there.
std::optional<std::string_view> TimerKind(const TimerState& state, std::chrono::local_seconds local,
                                          std::optional<std::chrono::local_seconds> local_full,
                                          std::chrono::system_clock::time_point now, std::int64_t every_hours,
                                          std::int64_t full_hour);

}  // namespace syncline::schedule
