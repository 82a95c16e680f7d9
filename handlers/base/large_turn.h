#pragma once
// Lets one memory-hungry request run at a time, so that a process needs memory for one of them and not for
// one per slot. A request's size is known only once its message has been expanded, so it waits for its turn
// then.
#include <chrono>
#include <cstddef>
#include <functional>

namespace syncline {

/// Requests below this never wait. Messages of ordinary syncs have a few KB.
inline constexpr std::size_t kLargeBytes = std::size_t{4} << 20;

/// Requests that may wait for the turn in one process, so that slots remain which read the next requests and
/// refuse them: a request in the backlog of the socket is seen by nobody. The pool `large` has some more slots.
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
