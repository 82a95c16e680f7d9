#include "handlers/schedule/runs/run_rules.h"

#include <algorithm>

namespace syncline::schedule {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::int64_t kGoodPercent = 80;
constexpr std::int64_t kFirstPages = 50, kFailedPercent = 30;
constexpr milliseconds kLongestPause = 5min;
// Another one so soon would find nothing new.
constexpr std::chrono::minutes kFresh = 1h;

}  // namespace

RunResult ResultOf(const RunTotals& totals, RunStop stop) {
  if (stop == RunStop::kCancelled) return {"cancelled", "cancelled"};
  const std::int64_t missed = totals.failed + totals.skipped;
  if (missed == 0) return {"success", std::nullopt};
  const std::int64_t good = totals.total - missed;
  const std::optional<std::string> code = stop == RunStop::kDeadline ? std::optional<std::string>("deadline")
                                          : totals.only_code         ? totals.only_code
                                                             : std::optional<std::string>("groups_failed");
  const bool is_partial =
      good > 0 && (stop == RunStop::kDeadline || good * 100 >= totals.total * kGoodPercent);
  return {is_partial ? "partial" : "failed", code};
}

milliseconds PauseBefore(int attempt, milliseconds first, double random, std::optional<milliseconds> asked) {
  milliseconds pause = first;
  for (int i = 2; i < attempt && pause < kLongestPause; ++i) pause *= 4;
  pause += milliseconds(static_cast<std::int64_t>(random * static_cast<double>(pause.count()) / 4));
  return std::min(std::max(pause, asked.value_or(0ms)), kLongestPause);
}

void Breaker::CountTry(bool is_good) {
  failed_tries_in_a_row_ = is_good ? 0 : failed_tries_in_a_row_ + 1;
  is_open_ = is_open_ || failed_tries_in_a_row_ >= in_a_row_ * tries_;
}

void Breaker::CountGroup(bool is_good) {
  ++counted_;
  failed_ += is_good ? 0 : 1;
  failed_in_a_row_ = is_good ? 0 : failed_in_a_row_ + 1;
  const bool is_bad_start = counted_ <= kFirstPages && failed_ * 100 > kFirstPages * kFailedPercent;
  is_open_ = is_open_ || failed_in_a_row_ >= in_a_row_ || is_bad_start;
}

bool IsSilent(const Run& run, std::chrono::system_clock::time_point now, std::chrono::seconds stale) {
  if (!run.IsActive()) return false;
  const auto longest = run.state == "queued" ? kLongestQueued : stale;
  return now - run.heartbeat_at.value_or(run.started_at) > longest;
}

bool IsWorthAnotherTry(int http_status) {
  return http_status == 429 || http_status == 408 || http_status >= 500;
}

std::optional<std::string_view> TimerKind(const TimerState& state, std::chrono::local_seconds local,
                                          std::optional<std::chrono::local_seconds> local_full,
                                          std::chrono::system_clock::time_point now, std::int64_t every_hours,
                                          std::int64_t full_hour) {
  if (every_hours == 0 || state.is_active) return std::nullopt;
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const auto hour = std::chrono::floor<std::chrono::hours>(local - day);
  if (hour.count() % every_hours != 0) return std::nullopt;
  // One of every hour ends some minutes after it.
  const auto fresh = std::min(kFresh, std::chrono::minutes(every_hours * 30));
  if (state.good_at && now - *state.good_at < fresh) return std::nullopt;
  // The last moment at which a full one was due.
  auto due = day + std::chrono::hours(full_hour);
  if (due > local) due -= std::chrono::days(1);
  return !local_full || *local_full < due ? "full" : "incremental";
}

}  // namespace syncline::schedule
