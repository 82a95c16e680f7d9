#include "fcgi/account_turns.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <system_error>
#include <utility>

namespace syncline::front {
namespace {

constexpr auto kNever = std::numeric_limits<AccountTurns::Clock::rep>::max();

// Above this number, entries that only record an old refusal are removed.
constexpr std::size_t kManyLines = 1000;

}  // namespace

AccountTurns::AccountTurns()
    : alarm_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)), next_at_(kNever) {
  if (alarm_.get() < 0) throw std::system_error(errno, std::generic_category(), "timerfd_create");
}

AccountTurns::Admission AccountTurns::Enter(UserId account) {
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  if (lines_.size() > kManyLines) {
    std::erase_if(lines_, [now](const auto& entry) { return entry.second.IsIdle(now); });
  }
  Line& line = lines_[account];
  if (line.parked.empty() && line.running < kRunning && line.open_at <= now) {
    ++line.running;
    return Admission::kNow;
  }
  return line.parked.size() < kParked && parked_ < kParkedOfAll ? Admission::kPark : Admission::kRefuse;
}

void AccountTurns::Leave(UserId account, Clock::duration took, bool was_refused) {
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  const auto found = lines_.find(account);
  Line& line = found->second;
  --line.running;
  Clock::duration pause{0};
  if (!line.parked.empty()) pause = std::min<Clock::duration>(took * kPauseFactor, kLongestPause);
  if (was_refused) pause = std::max<Clock::duration>(pause, kRefusalPause);
  line.open_at = std::max(line.open_at, now + pause);
  if (!line.parked.empty()) {
    SetAlarm();
  } else if (line.IsIdle(now)) {
    lines_.erase(found);
  }
}

void AccountTurns::Park(std::unique_ptr<Visit> visit) {
  visit->since = Clock::now();
  const std::lock_guard lock(mutex_);
  lines_[visit->account].parked.push_back(std::move(visit));
  ++parked_;
  // The account's turn may have become free since Enter.
  SetAlarm();
}

std::unique_ptr<Visit> AccountTurns::TakeFront(Line& line, Visit::Coming coming) {
  std::unique_ptr<Visit> visit = std::move(line.parked.front());
  line.parked.pop_front();
  --parked_;
  visit->coming = coming;
  if (coming == Visit::Coming::kWithTurn) ++line.running;
  return visit;
}

std::unique_ptr<Visit> AccountTurns::Next() {
  if (Clock::now().time_since_epoch().count() < next_at_.load(std::memory_order_relaxed)) return nullptr;
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  std::unique_ptr<Visit> visit;
  for (auto& [account, line] : lines_) {
    if (line.parked.empty()) continue;
    if (line.running < kRunning && line.open_at <= now) {
      visit = TakeFront(line, Visit::Coming::kWithTurn);
      break;
    }
    if (line.parked.front()->since + kPatience <= now) {
      visit = TakeFront(line, Visit::Coming::kTooLate);
      break;
    }
  }
  SetAlarm();
  return visit;
}

std::unique_ptr<Visit> AccountTurns::TakeAny() {
  const std::lock_guard lock(mutex_);
  for (auto& [account, line] : lines_) {
    if (!line.parked.empty()) return TakeFront(line, Visit::Coming::kTooLate);
  }
  return nullptr;
}

void AccountTurns::SetAlarm() {
  auto next = kNever;
  for (const auto& [account, line] : lines_) {
    if (line.parked.empty()) continue;
    auto at = line.parked.front()->since + kPatience;
    if (line.running < kRunning) at = std::min(at, line.open_at);
    next = std::min(next, at.time_since_epoch().count());
  }
  if (next_at_.exchange(next, std::memory_order_relaxed) == kNever && next == kNever) return;
  // steady_clock is CLOCK_MONOTONIC. Zero would stop the timer.
  itimerspec when{};
  if (next != kNever) {
    const auto ns = std::max<std::int64_t>(
        1, std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::duration(next)).count());
    when.it_value = {ns / 1'000'000'000, ns % 1'000'000'000};
  }
  timerfd_settime(alarm_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

}  // namespace syncline::front
