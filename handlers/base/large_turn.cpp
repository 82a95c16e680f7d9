#include "handlers/base/large_turn.h"

#include <malloc.h>

#include <algorithm>
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

// How often a waiting request checks that its client is still there.
constexpr std::chrono::milliseconds kLookAtClient{500};

Line& TheLine() {
  static Line line;
  return line;
}

}  // namespace

LargeTurn::LargeTurn(std::chrono::milliseconds patience, const std::function<bool()>& is_client_gone) {
  const auto give_up = std::chrono::steady_clock::now() + patience;
  Line& line = TheLine();
  std::unique_lock lock(line.mutex);
  if (line.numbers.size() > kMostInLine) throw Busy("busy", "too many large requests are waiting");
  const std::uint64_t number = ++line.last_number;
  line.numbers.push_back(number);
  const auto leave = [&] {
    std::erase(line.numbers, number);
    line.moved.notify_all();
  };
  for (;;) {
    const auto look = std::min(give_up, std::chrono::steady_clock::now() + kLookAtClient);
    const bool is_first = line.moved.wait_until(lock, look, [&] { return line.numbers.front() == number; });
    if (is_client_gone && is_client_gone()) {
      leave();
      throw ClientGone("left while it waited for its turn");
    }
    if (is_first) return;
    if (std::chrono::steady_clock::now() >= give_up) {
      leave();
      throw Busy("busy", "too many large requests before this one");
    }
  }
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
