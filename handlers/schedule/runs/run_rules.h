#pragma once
// Decisions about runs: how one ends, when to try a page again, when to give up, what the clock starts. Pure.
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

/// The pause before try `attempt` (2 or more): `first`, then four times as long each time, with up to a quarter more by
/// `random` (0 to 1); at least what the site asks for, but five minutes at most.
std::chrono::milliseconds PauseBefore(int attempt, std::chrono::milliseconds first, double random,
                                      std::optional<std::chrono::milliseconds> asked);

/// Stops a run whose pages fail: `in_a_row` groups in all their tries, as many tries in a row as those would have, or more
/// than 30 % of the first 50 groups.
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

/// Whether an answer or a failure may be different at the next try.
bool IsWorthAnotherTry(int http_status);

/// A run that no worker takes for this long has failed.
inline constexpr std::chrono::seconds kLongestQueued{300};
/// Whether nobody seems to work on a run, or to take it: worth asking the reaper, which knows more.
bool IsSilent(const Run& run, std::chrono::system_clock::time_point now, std::chrono::seconds stale);

/// What the clock starts at a full hour: "full" once a day after `full_hour`, "incremental" else. None: not now, because it is
/// not an hour of its own, a run is under way, or the last good one has ended
/// within an hour, or half of `every_hours` if that is less. `local`: now, in the zone of the
/// timetable; `local_full`: when the last good full run began, there.
std::optional<std::string_view> TimerKind(const TimerState& state, std::chrono::local_seconds local,
                                          std::optional<std::chrono::local_seconds> local_full,
                                          std::chrono::system_clock::time_point now, std::int64_t every_hours,
                                          std::int64_t full_hour);

}  // namespace syncline::schedule
