#pragma once
// What takes much memory goes one at a time in a process: its memory is that of one such request, and not of
// as many as there are slots. Nobody knows beforehand how much that is: a message is known by its size when
// it has been expanded. So a request takes the turn when it turns out to be large, and the others wait in
// line.
#include <chrono>
#include <cstddef>

namespace syncline {

/// Below this nobody waits: the messages of ordinary syncs are far smaller.
inline constexpr std::size_t kLargeBytes = std::size_t{4} << 20;

class LargeTurn {
 public:
  /// Waits in line, first come, first served. Error Busy "busy" when that takes longer than `patience`.
  explicit LargeTurn(std::chrono::milliseconds patience);
  /// Gives what was freed back to the system, then the turn to the next one.
  ~LargeTurn();
  LargeTurn(const LargeTurn&) = delete;
  LargeTurn& operator=(const LargeTurn&) = delete;
};

}  // namespace syncline
