#include "handlers/base/large_turn.h"

#include <malloc.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>

#include "handlers/base/errors.h"

namespace syncline {
namespace {

struct Line {
  std::mutex mutex;
  std::condition_variable moved;
  std::deque<std::uint64_t> numbers;  // the first one has the turn
  std::uint64_t last_number = 0;
};

Line& TheLine() {
  static Line line;
  return line;
}

}  // namespace

LargeTurn::LargeTurn(std::chrono::milliseconds patience) {
  Line& line = TheLine();
  std::unique_lock lock(line.mutex);
  const std::uint64_t number = ++line.last_number;
  line.numbers.push_back(number);
  if (line.moved.wait_for(lock, patience, [&] { return line.numbers.front() == number; })) return;
  std::erase(line.numbers, number);
  throw Busy("busy", "too many large requests before this one");
}

LargeTurn::~LargeTurn() {
  // glibc keeps freed blocks of a few KB in the arenas of its threads; this returns them.
  malloc_trim(0);
  Line& line = TheLine();
  const std::lock_guard lock(line.mutex);
  line.numbers.pop_front();
  // All waiters: only the one at the front may go on, and notify_one could wake another.
  line.moved.notify_all();
}

}  // namespace syncline
