#pragma once
// Whole collections: replacing the current one, the ones that were replaced, and turning a base file into
// rows.
//
// Lock order: the collection, then the session. A new generation never touches rows of an older one.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "handlers/anki/collection/collection_store.h"
#include "handlers/base/blobs.h"
#include "sql/tx.h"

namespace syncline::anki {

/// A file that becomes the collection.
struct NewCollection {
  CollectionMeta meta{};  ///< as the collection will have it
  CollectionMeta file{};  ///< as it stands inside the file; differs after a restore
  CollectionCounts counts{};
  Usn max_usn = 0;
  SmallObjects objects;
  std::vector<Grave> graves;
  BlobInfo blob;  ///< the file as one zstd frame
  std::int64_t bytes = 0;
};

struct HistoryEntry {
  Collection collection;  ///< generation is its id
  std::chrono::system_clock::time_point replaced_at;
  bool is_archived = false;  ///< its state is in base_blob, its rows are gone
};

class FullSyncStore {
 public:
  FullSyncStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  /// Puts `next` in place of what is there, which goes to history; ends any session; enqueues the jobs that
  /// turn the file into rows and the old rows into a file. Returns the new generation. Error TooLarge
  /// "over_quota".
  std::int32_t Replace(const NewCollection& next);
  /// As Replace, for an account without data; false when it has a collection by now.
  bool Begin(const NewCollection& first);

  /// One step of the import; rows that a sync has changed or deleted meanwhile stay as they are. The
  /// collection is locked and of this generation. `after`: ids up to here are done.
  void ImportCards(std::int32_t generation, const CardColumns& cards, const std::vector<std::int64_t>& usns);
  void ImportNotes(std::int32_t generation, const NoteColumns& notes, const std::vector<std::int64_t>& usns);
  void ImportReviews(std::int32_t generation, const ReviewColumns& reviews,
                     const std::vector<std::int64_t>& usns);
  void RememberImport(ImportStep step, std::int64_t after);

  std::vector<HistoryEntry> History();  ///< newest first
  std::optional<HistoryEntry> LockHistory(std::int32_t generation);
  /// The state of a replaced collection is in this file now.
  void MarkArchived(const HistoryEntry& entry, const BlobInfo& blob, std::int64_t bytes);
  /// Removes at most `limit` rows of a generation that is history; false when none is left.
  bool DeleteSomeRows(std::int32_t generation, std::int64_t limit);
  /// Forgets an entry and its file.
  void Forget(const HistoryEntry& entry);

 private:
  void Put(std::int32_t generation, const NewCollection& next);

  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::anki
