#pragma once
// Limits the concurrent requests of one account in a process, so that other accounts get slots and CPU time.
// Two of its requests run; further ones are parked: their connections wait here without a slot, and nginx
// keeps their bodies.
//
// An account with parked requests is slowed down: each of them continues only after a pause. So is an account
// whose requests are refused, because a client that ignores refusals would keep the machine busy. An ordinary
// family's devices reach neither limit, because a request takes milliseconds. Each process counts on its own:
// a limit over all processes would cost every request a round trip. Thread-safe.
#include <any>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <forward_list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "fcgi/gate.h"
#include "handlers/base/file_descriptor.h"
#include "handlers/base/ids.h"

namespace syncline::front {

/// One request on its connection. Its head is read when it is served for the first time.
struct Visit {
  using Clock = std::chrono::steady_clock;
  /// kFresh: just accepted. kWithTurn: was parked, and has its account's turn until the pipeline takes that over.
  /// kTooLate: was parked for too long, or the process is shutting down; must be refused.
  enum class Coming { kFresh, kWithTurn, kTooLate };

  FileDescriptor connection;
  std::unique_ptr<Gate> gate;
  Coming coming = Coming::kFresh;
  UserId account{};           ///< of a parked one
  Clock::time_point since{};  ///< when it was parked
  /// Request::kept of a parked request whose body has been read.
  std::forward_list<std::any> kept{};
};

class AccountTurns {
 public:
  using Clock = Visit::Clock;

  static constexpr int kRunning = 2;
  static constexpr std::size_t kParked = 200, kParkedOfAll = 500;
  static constexpr std::chrono::milliseconds kPatience{20'000};
  /// After a refusal.
  static constexpr std::chrono::milliseconds kRefusalPause{250};
  /// The pause after a request while others are parked: this many times the request's duration, at most
  /// kLongestPause.
  static constexpr int kPauseFactor = 2;
  static constexpr std::chrono::milliseconds kLongestPause{1'000};

  AccountTurns();

  enum class Admission { kNow, kPark, kRefuse };
  /// kNow: the account has one more request running; call Leave when it ends. kPark: call Park with it, or refuse it.
  Admission Enter(UserId account);
  /// `took`: how long the request ran.
  void Leave(UserId account, Clock::duration took, bool was_refused);
  void Park(std::unique_ptr<Visit> visit);
  /// A parked request that may continue, or has waited too long; null if there is none.
  std::unique_ptr<Visit> Next();
  /// Any parked request, to be refused because the process is shutting down.
  std::unique_ptr<Visit> TakeAny();
  /// Becomes readable when Next has something to return.
  int alarm() const { return alarm_.get(); }

 private:
  struct Line {
    int running = 0;
    Clock::time_point open_at{};
    std::deque<std::unique_ptr<Visit>> parked{};
    bool IsIdle(Clock::time_point now) const { return running == 0 && parked.empty() && open_at <= now; }
  };
  std::unique_ptr<Visit> TakeFront(Line& line, Visit::Coming coming);
  void SetAlarm();

  const FileDescriptor alarm_;
  std::mutex mutex_;
  std::unordered_map<UserId, Line> lines_;  // accounts with requests, or with a recent refusal
  std::size_t parked_ = 0;
  std::atomic<Clock::rep>
      next_at_;  // when the next parked request may continue; read by Next without the lock
};

}  // namespace syncline::front
