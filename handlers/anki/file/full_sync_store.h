#pragma once
// Whole collections: replaces the current one, keeps the replaced ones as history, and imports rows of a base
// file.
//
// Lock order: the collection, then the session. A new generation never changes rows of an older one.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "handlers/anki/collection/collection_store.h"
#include "handlers/anki/collection/session_store.h"
#include "handlers/base/blobs.h"
#include "sql/tx.h"

namespace syncline::anki {

/// A file that becomes the collection.
struct NewCollection {
  CollectionMeta meta{};  ///< of the collection
  CollectionMeta file{};  ///< of the base file; differs after a restore or if clients cannot read its head
  CollectionCounts counts{};
  Usn max_usn = 0;
  SmallObjects objects;
  std::vector<Grave> graves;
  BlobInfo blob;           ///< the file as one zstd frame
  std::int64_t bytes = 0;  ///< uncompressed size of the file
  /// The estimated bytes of the file's texts (content_bytes), used until they are counted after the import.
  std::optional<std::int64_t> content_bytes;
  Quota quota = Quota::kEnforced;
};

struct HistoryEntry {
  Collection collection;  ///< generation is its id
  std::chrono::system_clock::time_point replaced_at;
  bool is_archived = false;  ///< base_blob has its state; its rows are deleted, or about to be
};

class FullSyncStore {
 public:
  FullSyncStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  /// Replaces the current collection with `next` and moves it to history; ends any session; enqueues the jobs
  /// that import the file's rows and archive the old ones. Returns the new generation. Error StorageFull
  /// "over_quota", Unauthenticated "account_gone".
  std::int32_t Replace(const NewCollection& next);
  /// As Replace, for an account without data; false if it has a collection by now.
  bool Begin(const NewCollection& first);

  /// Stores ids of the base file, for syncs before the import is done: pages in ascending order.
  void PutFileIds(std::int32_t generation, Part part, const std::vector<std::int64_t>& ids);
  bool HasFileIds(std::int32_t generation);

  /// One step of the import; rows that a sync has changed or deleted meanwhile stay as they are. The caller
  /// holds the collection's lock and has checked the generation. `after`: ids up to this one are done.
  void ImportCards(std::int32_t generation, const CardColumns& cards, const std::vector<std::int64_t>& usns);
  void ImportNotes(std::int32_t generation, const NoteColumns& notes, const std::vector<std::int64_t>& usns);
  void ImportReviews(std::int32_t generation, const ReviewColumns& reviews,
                     const std::vector<std::int64_t>& usns);
  void RememberImport(std::int32_t generation, ImportStep step, std::int64_t after);

  std::vector<HistoryEntry> History();  ///< newest first
  std::optional<HistoryEntry> LockHistory(std::int32_t generation);
  /// Records that this file holds the whole state of a replaced collection.
  void MarkArchived(const HistoryEntry& entry, const BlobInfo& blob, std::int64_t bytes);
  /// Deletes at most `limit` rows of a replaced generation; false if none was left.
  bool DeleteSomeRows(std::int32_t generation, std::int64_t limit);
  /// Deletes an entry and releases its file.
  void Forget(const HistoryEntry& entry);

 private:
  void Put(std::int32_t generation, const NewCollection& next);

  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::anki
