#include "handlers/base/disk_reserve.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "handlers/base/display.h"
#include "handlers/base/log.h"
#include "sql/queries/disk.h"

namespace syncline {
namespace {

constexpr std::int64_t kMiB = 1 << 20;
constexpr std::int64_t kLeastReserve = 256 * kMiB, kMostReserve = 1024 * kMiB;
constexpr int kTablesNamed = 3;

class TableStore {
 public:
  TableStore(sql::Tx& tx, UserId /*nobody*/) : tx_(tx) {}
  std::string Largest() {
    std::string text;
    for (const sql::Row row : tx_.Query(sql::disk::largest_tables, kTablesNamed)) {
      text += (text.empty() ? "" : ", ") + row["name"].As<std::string>() + " " +
              SizeText(row["bytes"].As<std::int64_t>());
    }
    return text;
  }

 private:
  sql::Tx& tx_;
};

WatchedDisk Look(const std::string& folder, const char* holds, std::int64_t reserve_mib) {
  WatchedDisk disk{.folder = folder, .holds = holds};
  struct statvfs found {};
  if (statvfs(folder.c_str(), &found) != 0) {
    disk.is_missing = true;
    return disk;
  }
  const auto block = static_cast<std::int64_t>(found.f_frsize);
  disk.free_bytes = static_cast<std::int64_t>(found.f_bavail) * block;
  const std::int64_t total = static_cast<std::int64_t>(found.f_blocks) * block;
  disk.reserve_bytes =
      reserve_mib > 0 ? reserve_mib * kMiB : std::clamp(total / 20, kLeastReserve, kMostReserve);
  return disk;
}

// Whether this is news for the process.
bool IsNews(const std::string& folder, bool is_low) {
  static std::mutex mutex;
  static std::map<std::string, bool> known;
  const std::lock_guard lock(mutex);
  bool& state = known[folder];
  return std::exchange(state, is_low) != is_low;
}

void LogIfNews(Context& context, const WatchedDisk& disk, bool is_low) {
  if (!IsNews(disk.folder, is_low)) return;
  LogLine line(is_low ? LogLevel::kError : LogLevel::kInfo);
  line.Add("req", context.request_id())
      .Add("event", is_low ? "disk_nearly_full" : "disk_has_room_again")
      .Add("disk", disk.folder)
      .Add("holds", disk.holds)
      .Add("free", SizeText(disk.free_bytes))
      .Add("reserve", SizeText(disk.reserve_bytes));
  if (is_low) line.Add("largest", LargestTables(context));
  line.Write();
}

}  // namespace

std::vector<WatchedDisk> WatchedDisks(const Config& config) {
  std::vector<WatchedDisk> disks{Look(config.temp_dir, "temporary files", config.disk_reserve_mib)};
  if (!config.database_disk.empty()) {
    disks.push_back(Look(config.database_disk, "the database", config.disk_reserve_mib));
  }
  return disks;
}

std::string LargestTables(Context& context) {
  try {
    return context.Read<TableStore>([](TableStore& store) { return store.Largest(); });
  } catch (const std::exception& e) {
    return e.what();
  }
}

void LogDisks(Context& context) {
  for (const WatchedDisk& disk : WatchedDisks(context.config())) LogIfNews(context, disk, disk.IsLow());
}

void DiskReserve::Require(std::int64_t coming) {
  for (const WatchedDisk& disk : WatchedDisks(context_.config())) {
    if (disk.is_missing || disk.free_bytes - coming >= disk.reserve_bytes) continue;
    if (disk.IsLow()) LogIfNews(context_, disk, true);
    throw StorageFull("disk_full", SizeText(disk.free_bytes) + " free in " + disk.folder + ", " +
                                       SizeText(coming) + " to come, " + SizeText(disk.reserve_bytes) +
                                       " to be left")
        .RetryAfter(std::chrono::minutes(1));
  }
}

void DiskReserve::Wrote(std::size_t bytes) {
  unchecked_ += bytes;
  if (unchecked_ < static_cast<std::size_t>(kMiB)) return;
  unchecked_ = 0;
  Require();
}

}  // namespace syncline
