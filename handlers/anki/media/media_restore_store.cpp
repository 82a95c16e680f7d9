#include "handlers/anki/media/media_restore_store.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "handlers/anki/media/media_store.h"
#include "handlers/base/blobs.h"
#include "sql/queries/anki.h"

namespace syncline::anki {
namespace {

constexpr std::size_t kAtOnce = 1'000;

// A file by its usn, and what it was by the key of the history; 0: it was not there.
struct Change {
  MediaUsn usn, from_usn;
};

// What the changes of one statement do to the counters and references.
struct Totals {
  std::int64_t files = 0, bytes = 0, row_bytes = 0;
  bool has_replaced = false;
  std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> held;  // by blob: bytes, new holders

  void Add(const sql::Row& row) {
    const auto size = row["size_bytes"].As<std::int64_t>(),
               old_size = row["old_size_bytes"].As<std::int64_t>();
    files += (size > 0 ? 1 : 0) - (old_size > 0 ? 1 : 0);
    bytes += size - old_size;
    if (old_size > 0) {
      row_bytes += MediaRowBytes(row["name"].As<std::string_view>());
      has_replaced = true;
    }
    if (size == 0) return;
    auto& [blob_bytes, holders] = held[row["blob_id"].As<std::int64_t>()];
    blob_bytes = size;
    ++holders;
  }
};

void AddReferences(BlobRefs& refs, const Totals& totals) {
  std::vector<std::int64_t> blobs, sizes, holders;
  for (const auto& [blob, held] : totals.held) {
    blobs.push_back(blob);
    sizes.push_back(held.first);
    holders.push_back(held.second);
  }
  if (blobs.empty()) return;
  refs.Lock(blobs);
  refs.AddAll(kMediaService, blobs, sizes, holders, Quota::kExempt);
}

}  // namespace

void MediaRestoreStore::Lock() {
  tx_.MaybeOne(sql::anki::lock_media, user_);
}

RestoredMedia MediaRestoreStore::RestoreTo(sql::Time at) {
  Lock();
  // Their snapshots are taken after the lock.
  const auto moment = tx_.MaybeOne(sql::anki::media_usn_at, user_, at);
  if (!moment) return {};
  if (!(*moment)["is_known"].As<bool>()) return {.is_known = false};
  std::vector<Change> changes;
  tx_.Each(
      sql::anki::media_to_restore,
      [&](const sql::Row& row) {
        changes.push_back({row["usn"].As<MediaUsn>(), row["from_usn"].As<MediaUsn>()});
      },
      user_, (*moment)["usn"].As<MediaUsn>());
  RestoredMedia restored;
  BlobRefs refs(tx_, user_);
  auto last_usn = (*moment)["last_usn"].As<MediaUsn>();
  for (std::size_t begin = 0; begin < changes.size(); begin += kAtOnce) {
    const std::size_t end = std::min(begin + kAtOnce, changes.size());
    std::vector<std::int64_t> usns, from_usns, new_usns;
    for (std::size_t i = begin; i < end; ++i) {
      usns.push_back(changes[i].usn);
      from_usns.push_back(changes[i].from_usn);
      new_usns.push_back(++last_usn);
      ++(changes[i].from_usn == 0 ? restored.deleted : restored.put_back);
    }
    Totals totals;
    for (const sql::Row& row : tx_.Query(sql::anki::restore_media, user_, usns, from_usns, new_usns)) {
      totals.Add(row);
    }
    tx_.Later(sql::anki::advance_media, user_, last_usn, totals.files, totals.bytes, totals.row_bytes,
              totals.has_replaced);
    AddReferences(refs, totals);
  }
  return restored;
}

}  // namespace syncline::anki
