#pragma once
// Lets one memory-hungry request run at a time, so that a process needs memory for one of them and not for
// one per slot. A request's size is known only after its message has been expanded, so the wait for the turn
// begins there.
#include <chrono>
#include <cstddef>
#include <functional>

namespace syncline {

/// Requests below this never wait. Messages of ordinary syncs have a few KB.
inline constexpr std::size_t kLargeBytes = std::size_t{4} << 20;

/// How many requests may wait for the turn in one process. It is below the number of slots of the pool
/// `large`, so that free slots remain to read and refuse further requests; a request in the socket's backlog
/// gets no answer.
inline constexpr std::size_t kMostInLine = 12;

class LargeTurn {
 public:
  /// Waits in line, first come, first served. Throws Error Busy "busy" after `patience`, or at once if kMostInLine
  /// wait already; ClientGone as soon as `is_client_gone`.
  explicit LargeTurn(std::chrono::milliseconds patience, const std::function<bool()>& is_client_gone = {});
  /// Returns freed memory to the system, then passes the turn on.
  ~LargeTurn();
  LargeTurn(const LargeTurn&) = delete;
  LargeTurn& operator=(const LargeTurn&) = delete;
};

}  // namespace syncline
