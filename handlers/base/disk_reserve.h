#pragma once
// Disk space that large writes leave free, so that small syncs, logins, reads and deletions still work on a
// nearly full disk, and PostgreSQL can write its WAL: without space for that it stops, and with it the whole
// site.
//
// The disks of temp_dir and of database_disk (where PostgreSQL's data is, if that is on this machine) are
// watched. The reserve of each is disk_reserve_mib; if that is 0, a twentieth of the disk, at least 256 MiB
// and at most 1 GiB. Code that stores much (uploads, imports, archives, large messages) calls Require first;
// uploads and imports check again during the write. A folder that cannot be found is not watched; the doctor
// reports it. Left out on purpose: what nginx spools (client_body_temp_path), and disks of other machines.
#include <cstdint>
#include <string>
#include <vector>

#include "handlers/base/context.h"
#include "handlers/base/errors.h"
#include "handlers/base/job.h"

namespace syncline {

struct WatchedDisk {
  std::string folder;  ///< as configured
  std::string holds;   ///< "temporary files"
  std::int64_t free_bytes = 0, reserve_bytes = 0;
  bool is_missing = false;  ///< the folder cannot be found; the numbers are 0
  bool IsLow() const { return !is_missing && free_bytes < reserve_bytes; }
};

std::vector<WatchedDisk> WatchedDisks(const Config& config);

/// "blob_chunks 1.2 GiB, anki_notes 300 MiB, ...": the three largest tables; or the reason why the database
/// could not be queried.
std::string LargestTables(Context& context);

/// Logs each watched disk that has become low, with the largest tables, and each that is no longer low. A
/// process logs a change once.
void LogDisks(Context& context);

class DiskReserve {
 public:
  explicit DiskReserve(Context& context) : context_(context) {}
  /// Call before a large write, outside of transactions; `coming`: about the bytes it will store. Throws Error
  /// StorageFull "disk_full" if a watched disk would have less than its reserve left.
  void Require(std::int64_t coming = 0);
  /// Call during the write; checks again after every MiB. Throws as Require.
  void Wrote(std::size_t bytes);

 private:
  Context& context_;
  std::size_t unchecked_ = 0;
};

/// For the bodies of jobs: puts the job off if Require refuses.
template <typename F>
void WhenDiskHasRoom(F&& work) {
  constexpr std::chrono::seconds kAgain{30};
  try {
    work();
  } catch (const Error& e) {
    if (e.code() != "disk_full") throw;
    throw JobPutOff(e.what(), kAgain);
  }
}

}  // namespace syncline
