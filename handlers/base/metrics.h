#pragma once
// The counters of the processes, and the page that shows them to Prometheus.
//
// There are several stateless processes, and a scrape reaches any of them. So each process keeps its numbers
// in its own memory-mapped file in the directory `metrics_dir`, and the process that is scraped adds up all
// files. The numbers of a killed process stay in its file. A file belongs to its process as long as that
// holds the file's lock; files of dead processes are added to one file of totals and removed, so that no
// counter ever decreases. Gauges (slots in use) count only for live processes.
//
// Counting is a relaxed atomic addition. Looking up a series takes a lock and allocates: do it once and keep
// the reference. Left out on purpose: labels with values that clients choose, other buckets, pushing.
//
// Format: Prometheus text exposition 0.0.4.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace syncline {

/// One number, in memory that outlives the process.
using MetricCell = std::atomic<std::uint64_t>;
static_assert(MetricCell::is_always_lock_free && sizeof(MetricCell) == 8);

inline void Count(MetricCell& cell, std::uint64_t by = 1) noexcept {
  cell.fetch_add(by, std::memory_order_relaxed);
}

/// Raises a gauge by one as long as it lives.
class GaugeHold {
 public:
  explicit GaugeHold(MetricCell& gauge) : gauge_(gauge) { Count(gauge_); }
  ~GaugeHold() { gauge_.fetch_sub(1, std::memory_order_relaxed); }
  GaugeHold(const GaugeHold&) = delete;
  GaugeHold& operator=(const GaugeHold&) = delete;

 private:
  MetricCell& gauge_;
};

/// {{"op", "anki.meta"}, {"status", "200"}}
using MetricLabels = std::initializer_list<std::pair<const char*, std::string_view>>;

enum class MetricKind : std::uint32_t { kCounter = 1, kSeconds, kGauge, kHistogram };

/// Durations: counts by upper bounds that are the same everywhere, and a sum.
class Histogram {
 public:
  explicit Histogram(MetricCell* cells) : cells_(cells) {}
  void Observe(std::chrono::microseconds took) const noexcept;

 private:
  MetricCell* cells_;
};

/// The numbers of this process.
class Metrics {
 public:
  /// Creates a file in `directory`. If that is empty, or cannot be used (which is logged), the numbers are
  /// not published.
  explicit Metrics(const std::string& directory);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// `help` is one sentence without the full stop, the same for all series of a name. The reference is valid
  /// as long as this object; the same series gives the same reference. If the file is full, which is logged,
  /// further series are lost. Thread-safe.
  MetricCell& Counter(std::string_view name, MetricLabels labels, std::string_view help);
  /// A counter in microseconds, shown in seconds.
  MetricCell& Seconds(std::string_view name, MetricLabels labels, std::string_view help);
  MetricCell& Gauge(std::string_view name, MetricLabels labels, std::string_view help);
  Histogram Latency(std::string_view name, MetricLabels labels, std::string_view help);

 private:
  MetricCell* Series(MetricKind kind, std::string_view name, MetricLabels labels, std::string_view help);

  int fd_ = -1;  // holds the lock
  char* memory_;
  std::mutex mutex_;
  std::map<std::string, MetricCell*> series_;
  bool is_full_ = false;
};

/// The answer to one scrape.
class MetricsPage {
 public:
  /// Adds the counters of all processes of `directory`. Throws Error Busy if another scrape does not end.
  void Collect(const std::string& directory);
  /// Adds a value computed for this scrape.
  void Gauge(std::string_view name, MetricLabels labels, std::string_view help, std::int64_t value);
  std::string Text() const;

 private:
  friend struct MetricFiles;
  struct Family {
    MetricKind kind;
    std::string help;
    std::map<std::string, std::vector<std::uint64_t>> series;  // keyed by labels, as printed
  };
  void Add(MetricKind kind, std::string_view name, std::string_view labels, std::string_view help,
           const std::vector<std::uint64_t>& values);
  std::map<std::string, Family, std::less<>> families_;
};

}  // namespace syncline
