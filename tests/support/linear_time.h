#pragma once
// Whether work grows with its size or with its square, on machines of any speed.
#include <algorithm>
#include <cstddef>
#include <ctime>

namespace syncline::tests {

/// Seconds of this process's CPU time that `work` takes.
template <typename F>
double CpuSeconds(const F& work) {
  const std::clock_t begin = std::clock();
  work();
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

/// Calls work(size) and work(8 * size), of which the second takes about 8 times as long if the time is linear, and 64 times if it
/// is quadratic. `size` is large enough if a quadratic work(8 * size) takes a second. Only for one thread.
template <typename F>
bool IsLinear(std::size_t size, const F& work) {
  constexpr double kNoise = 0.02;
  const auto once = [&](std::size_t n) { return CpuSeconds([&] { work(n); }); };
  const double small = std::min(once(size), once(size));
  return once(8 * size) < 24 * (small + kNoise);
}

}  // namespace syncline::tests
