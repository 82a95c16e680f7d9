#include "handlers/base/metrics.h"

#include <errno.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <new>
#include <set>
#include <span>
#include <system_error>
#include <thread>

#include "handlers/base/errors.h"
#include "handlers/base/file_descriptor.h"
#include "handlers/base/log.h"

namespace syncline {
namespace {

using namespace std::chrono_literals;

struct Bound {
  std::uint64_t us;
  const char* text;
};
constexpr Bound kBounds[] = {
    {1'000, "0.001"},   {2'500, "0.0025"},  {5'000, "0.005"},     {10'000, "0.01"},
    {25'000, "0.025"},  {50'000, "0.05"},   {100'000, "0.1"},     {250'000, "0.25"},
    {500'000, "0.5"},   {1'000'000, "1"},   {2'500'000, "2.5"},   {5'000'000, "5"},
    {10'000'000, "10"}, {30'000'000, "30"}, {120'000'000, "120"}, {600'000'000, "600"},
};
// Plus one bucket above all bounds, and the sum in microseconds.
constexpr std::size_t kHistogramCells = std::size(kBounds) + 2;

constexpr std::size_t CellsOf(MetricKind kind) {
  return kind == MetricKind::kHistogram ? kHistogramCells : 1;
}

// Enough for some thousand series. Allocated at the start: a page that cannot be allocated later would end
// the process.
constexpr std::size_t kFileBytes = 1 << 20;

// A file is a header and records, each a multiple of eight bytes, so that cells are aligned. A reader sees
// the records that were complete when it read `used`.
constexpr char kMagic[] = "SyncMet1";
struct Header {
  char magic[8];
  std::atomic<std::uint64_t> used;  // including the header
};
struct RecordHeader {
  std::uint32_t kind, cells, text_bytes, unused;
};
// In the file of totals: a file that is already included; the record has its name instead of a series' name.
constexpr auto kFolded = static_cast<MetricKind>(100);

constexpr const char* kSuffix = ".process";
constexpr const char* kTotals = "totals";
constexpr auto kLockPatience = 2s;

std::size_t Rounded(std::size_t bytes) {
  return (bytes + 7) / 8 * 8;
}

/// Calls record(kind, cells, name, labels, help) for all complete records. Never reads out of bounds,
/// whatever the bytes are.
template <typename F>
void EachRecord(const char* data, std::size_t size, F&& record) {
  if (size < sizeof(Header) || std::memcmp(data, kMagic, sizeof(Header::magic)) != 0) return;
  const auto used = reinterpret_cast<const Header*>(data)->used.load(std::memory_order_acquire);
  const std::size_t end = std::min<std::uint64_t>(used, size);
  std::size_t at = sizeof(Header);
  while (at + sizeof(RecordHeader) <= end) {
    RecordHeader header;
    std::memcpy(&header, data + at, sizeof header);
    at += sizeof header;
    const std::size_t cell_bytes = std::size_t{header.cells} * sizeof(MetricCell);
    const std::size_t bytes = cell_bytes + Rounded(header.text_bytes);
    if (bytes > end - at) return;
    const std::span cells(reinterpret_cast<const MetricCell*>(data + at), header.cells);
    std::string_view text(data + at + cell_bytes, header.text_bytes);
    std::array<std::string_view, 3> parts;
    for (std::string_view& part : parts) {
      part = text.substr(0, text.find('\0'));
      text.remove_prefix(std::min(part.size() + 1, text.size()));
    }
    record(static_cast<MetricKind>(header.kind), cells, parts[0], parts[1], parts[2]);
    at += bytes;
  }
}

/// Appends a record at `data` + used. Null if it does not fit into `size`.
MetricCell* AppendRecord(char* data, std::size_t size, MetricKind kind, std::size_t cells,
                         std::string_view name, std::string_view labels, std::string_view help) {
  auto& used = reinterpret_cast<Header*>(data)->used;
  const std::uint64_t at = used.load(std::memory_order_relaxed);
  const std::size_t text_bytes = name.size() + labels.size() + help.size() + 3;
  const std::size_t bytes = sizeof(RecordHeader) + cells * sizeof(MetricCell) + Rounded(text_bytes);
  if (at + bytes > size) return nullptr;
  const RecordHeader header{static_cast<std::uint32_t>(kind), static_cast<std::uint32_t>(cells),
                            static_cast<std::uint32_t>(text_bytes), 0};
  std::memcpy(data + at, &header, sizeof header);
  auto* const first = reinterpret_cast<MetricCell*>(data + at + sizeof header);
  for (std::size_t i = 0; i < cells; ++i) new (first + i) MetricCell(0);
  char* text = data + at + sizeof header + cells * sizeof(MetricCell);
  for (const std::string_view part : {name, labels, help}) {
    text = std::copy(part.begin(), part.end(), text);
    *text++ = '\0';
  }
  used.store(at + bytes, std::memory_order_release);
  return first;
}

void BeginFile(char* data) {
  auto* const header = new (data) Header;
  std::memcpy(header->magic, kMagic, sizeof header->magic);
  header->used.store(sizeof(Header), std::memory_order_release);
}

FileDescriptor OpenFile(const std::string& path, int flags) {
  FileDescriptor file(path.c_str(), flags);
  if (!file.IsOpen()) throw std::system_error(errno, std::generic_category(), path);
  return file;
}

/// False: it is held elsewhere.
bool Lock(const FileDescriptor& file) {
  return flock(file.get(), LOCK_EX | LOCK_NB) == 0;
}

/// Held while files are read, created and removed.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::string& directory)
      : file_(OpenFile(directory + "/lock", O_RDWR | O_CREAT)) {
    const auto give_up = std::chrono::steady_clock::now() + kLockPatience;
    while (!Lock(file_)) {
      if (std::chrono::steady_clock::now() > give_up) throw Busy("busy", "the lock of " + directory);
      std::this_thread::sleep_for(5ms);
    }
  }

 private:
  FileDescriptor file_;
};

void AppendLabel(std::string& out, std::string_view name, std::string_view value) {
  if (!out.empty()) out += ',';
  out.append(name).append("=\"");
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    c == '\n' ? out += "\\n" : out += c;
  }
  out += '"';
}

std::string LabelText(MetricLabels labels) {
  std::string text;
  for (const auto& [name, value] : labels) AppendLabel(text, name, value);
  return text;
}

std::string SecondsText(std::uint64_t us) {
  std::string fraction = std::to_string(us % 1'000'000);
  return std::to_string(us / 1'000'000) + "." + std::string(6 - fraction.size(), '0') + fraction;
}

}  // namespace

void Histogram::Observe(std::chrono::microseconds took) const noexcept {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0));
  std::size_t bucket = 0;
  while (bucket < std::size(kBounds) && us > kBounds[bucket].us) ++bucket;
  Count(cells_[bucket]);
  Count(cells_[kHistogramCells - 1], us);
}

/// The files of a directory; the caller holds its lock.
struct MetricFiles {
  /// Adds a file to `page`, gauges only if `is_alive`. The names of files included in it go to `folded`.
  static void Read(const std::string& path, bool is_alive, MetricsPage& page, std::set<std::string>* folded) {
    const FileDescriptor file = OpenFile(path, O_RDONLY);
    struct stat found {};
    if (fstat(file.get(), &found) != 0 || found.st_size < static_cast<off_t>(sizeof(Header))) return;
    const auto size = static_cast<std::size_t>(found.st_size);
    void* const data = mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
    if (data == MAP_FAILED) throw std::system_error(errno, std::generic_category(), path);
    EachRecord(static_cast<const char*>(data), size,
               [&](MetricKind kind, std::span<const MetricCell> cells, std::string_view name,
                   std::string_view labels, std::string_view help) {
                 if (kind == kFolded && folded != nullptr) folded->emplace(name);
                 // Another version may write kinds that this one does not know.
                 if (kind < MetricKind::kCounter || kind > MetricKind::kHistogram) return;
                 if (cells.size() != CellsOf(kind) || (kind == MetricKind::kGauge && !is_alive)) return;
                 std::vector<std::uint64_t> values;
                 for (const MetricCell& cell : cells) values.push_back(cell.load(std::memory_order_relaxed));
                 page.Add(kind, name, labels, help, values);
               });
    munmap(data, size);
  }

  /// Atomically replaces the totals by `page` and the names of the files that it now includes.
  static void WriteTotals(const std::string& directory, const MetricsPage& page,
                          const std::set<std::string>& folded) {
    std::size_t bytes = sizeof(Header);
    const auto add = [&bytes](std::size_t cells, std::size_t text) {
      bytes += sizeof(RecordHeader) + cells * sizeof(MetricCell) + Rounded(text + 3);
    };
    for (const auto& [name, family] : page.families_) {
      for (const auto& [labels, values] : family.series) {
        add(values.size(), name.size() + labels.size() + family.help.size());
      }
    }
    for (const std::string& name : folded) add(0, name.size());
    // Of 64-bit integers, for the alignment of cells.
    const auto memory = std::make_unique<std::uint64_t[]>(Rounded(bytes) / 8);
    auto* const data = reinterpret_cast<char*>(memory.get());
    BeginFile(data);
    for (const auto& [name, family] : page.families_) {
      for (const auto& [labels, values] : family.series) {
        MetricCell* const cells =
            AppendRecord(data, bytes, family.kind, values.size(), name, labels, family.help);
        for (std::size_t i = 0; i < values.size(); ++i) cells[i].store(values[i], std::memory_order_relaxed);
      }
    }
    for (const std::string& name : folded) AppendRecord(data, bytes, kFolded, 0, name, "", "");
    const std::string path = directory + "/" + kTotals;
    {
      const FileDescriptor file = OpenFile(path + ".new", O_WRONLY | O_CREAT | O_TRUNC);
      for (std::size_t at = 0; at < bytes;) {
        const ssize_t wrote = write(file.get(), data + at, bytes - at);
        if (wrote < 0) throw std::system_error(errno, std::generic_category(), path);
        at += static_cast<std::size_t>(wrote);
      }
    }
    std::filesystem::rename(path + ".new", path);
  }

  /// Adds everything to `page`; files of dead processes become part of the totals.
  static void Collect(const std::string& directory, MetricsPage& page) {
    MetricsPage totals;
    std::set<std::string> folded, dead;
    const std::string totals_path = directory + "/" + kTotals;
    if (std::filesystem::exists(totals_path)) Read(totals_path, false, totals, &folded);
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      const std::string name = entry.path().filename();
      if (!name.ends_with(kSuffix)) continue;
      if (folded.contains(name)) {
        dead.insert(name);  // a process that died folded it without removing it
        continue;
      }
      const bool is_alive = !Lock(OpenFile(entry.path(), O_RDONLY));
      if (is_alive) {
        Read(entry.path(), true, page, nullptr);
      } else {
        Read(entry.path(), false, totals, nullptr);
        dead.insert(name);
      }
    }
    if (!dead.empty()) {
      // In this order: a file is counted until its name is in the totals, and not afterwards.
      WriteTotals(directory, totals, dead);
      for (const std::string& name : dead) std::filesystem::remove(directory + "/" + name);
    }
    for (const auto& [name, family] : totals.families_) {
      for (const auto& [labels, values] : family.series)
        page.Add(family.kind, name, labels, family.help, values);
    }
  }
};

Metrics::Metrics(const std::string& directory) {
  if (!directory.empty()) {
    try {
      const DirectoryLock lock(directory);
      // Restarted processes must not fill a directory that is never scraped.
      MetricsPage nobody;
      MetricFiles::Collect(directory, nobody);
      const std::string path = directory + "/" + std::to_string(getpid()) + "-" +
                               std::to_string(std::chrono::system_clock::now().time_since_epoch().count()) +
                               kSuffix;
      FileDescriptor file = OpenFile(path, O_RDWR | O_CREAT | O_EXCL);
      Lock(file);
      if (const int error = posix_fallocate(file.get(), 0, kFileBytes)) {
        unlink(path.c_str());
        throw std::system_error(error, std::generic_category(), path);
      }
      void* const data = mmap(nullptr, kFileBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
      if (data == MAP_FAILED) throw std::system_error(errno, std::generic_category(), path);
      memory_ = static_cast<char*>(data);
      fd_ = file.Release();
    } catch (const std::exception& e) {
      LogLine(LogLevel::kWarn).Add("event", "no_metrics").Add("why", e.what()).Write();
    }
  }
  if (fd_ < 0) {
    void* const data = mmap(nullptr, kFileBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) throw std::bad_alloc();
    memory_ = static_cast<char*>(data);
  }
  BeginFile(memory_);
}

Metrics::~Metrics() {
  munmap(memory_, kFileBytes);
  if (fd_ >= 0) close(fd_);
}

MetricCell* Metrics::Series(MetricKind kind, std::string_view name, MetricLabels labels,
                            std::string_view help) {
  const std::string label_text = LabelText(labels);
  const std::lock_guard lock(mutex_);
  MetricCell*& cells = series_[std::string(name) + "{" + label_text];
  if (cells != nullptr) return cells;
  cells = AppendRecord(memory_, kFileBytes, kind, CellsOf(kind), name, label_text, help);
  if (cells == nullptr) {
    static MetricCell lost[kHistogramCells];
    cells = lost;
    if (!std::exchange(is_full_, true)) LogLine(LogLevel::kWarn).Add("event", "metrics_full").Write();
  }
  return cells;
}

MetricCell& Metrics::Counter(std::string_view name, MetricLabels labels, std::string_view help) {
  return *Series(MetricKind::kCounter, name, labels, help);
}

MetricCell& Metrics::Seconds(std::string_view name, MetricLabels labels, std::string_view help) {
  return *Series(MetricKind::kSeconds, name, labels, help);
}

MetricCell& Metrics::Gauge(std::string_view name, MetricLabels labels, std::string_view help) {
  return *Series(MetricKind::kGauge, name, labels, help);
}

Histogram Metrics::Latency(std::string_view name, MetricLabels labels, std::string_view help) {
  return Histogram(Series(MetricKind::kHistogram, name, labels, help));
}

void MetricsPage::Collect(const std::string& directory) {
  try {
    const DirectoryLock lock(directory);
    MetricFiles::Collect(directory, *this);
  } catch (const std::system_error& e) {
    throw Error(ErrorKind::kInternal, "internal", std::string("metrics: ") + e.what());
  }
}

void MetricsPage::Gauge(std::string_view name, MetricLabels labels, std::string_view help,
                        std::int64_t value) {
  Add(MetricKind::kGauge, name, LabelText(labels), help, {static_cast<std::uint64_t>(value)});
}

void MetricsPage::Add(MetricKind kind, std::string_view name, std::string_view labels, std::string_view help,
                      const std::vector<std::uint64_t>& values) {
  auto family = families_.find(name);
  if (family == families_.end()) {
    family = families_.emplace(std::string(name), Family{kind, std::string(help), {}}).first;
  }
  if (family->second.kind != kind) return;  // another version uses this name for another kind
  auto& sums = family->second.series[std::string(labels)];
  sums.resize(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) sums[i] += values[i];
}

std::string MetricsPage::Text() const {
  std::string out;
  const auto line = [&out](const std::string& name, const std::string& labels, const std::string& value) {
    out += name;
    if (!labels.empty()) out += "{" + labels + "}";
    out += " " + value + "\n";
  };
  for (const auto& [name, family] : families_) {
    out += "# HELP " + name + " " + family.help + ".\n# TYPE " + name +
           (family.kind == MetricKind::kGauge       ? " gauge\n"
            : family.kind == MetricKind::kHistogram ? " histogram\n"
                                                    : " counter\n");
    for (const auto& [labels, values] : family.series) {
      if (family.kind != MetricKind::kHistogram) {
        line(name, labels,
             family.kind == MetricKind::kSeconds ? SecondsText(values[0])
                                                 : std::to_string(static_cast<std::int64_t>(values[0])));
        continue;
      }
      std::uint64_t count = 0;
      for (std::size_t i = 0; i + 1 < values.size(); ++i) {
        count += values[i];
        std::string with_bound = labels;
        AppendLabel(with_bound, "le", i < std::size(kBounds) ? kBounds[i].text : "+Inf");
        line(name + "_bucket", with_bound, std::to_string(count));
      }
      line(name + "_sum", labels, SecondsText(values.back()));
      line(name + "_count", labels, std::to_string(count));
    }
  }
  return out;
}

}  // namespace syncline
