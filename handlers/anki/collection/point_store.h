#pragma once
// Points in the history of a collection: each committed sync that changed something, and what it replaced, deleted
// or added (anki_old_*). The statements that apply a sync keep it; this store reads and forgets it.
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "handlers/anki/objects/rows_wire.h"
#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::anki {

struct Changed {
  std::int64_t added = 0, changed = 0, deleted = 0;
};

struct Point {
  std::int32_t generation = 0;
  Usn usn = 0;  ///< of the sync; the state before it is the one to return to
  std::chrono::system_clock::time_point finished_at;
  std::string device;  ///< its name; empty: none, or deleted
  Changed cards, notes;
  std::int64_t reviews = 0;  ///< added
  std::int64_t objects = 0;  ///< notetypes, decks and deck configs added, changed or deleted
  /// Rows of the uploaded file were still being imported: what the sync replaced is in that file only.
  bool during_import = false;
};

/// Small things as they were before a sync.
struct OldSmallThings {
  sql::Time finished_at{};  ///< as in Point
  std::int64_t created_s = 0;
  bool during_import = false;              ///< as in Point
  std::optional<std::string> config_json;  ///< none: not changed since
  std::vector<Object> notetypes, decks, deck_configs;
  std::vector<std::pair<ObjectKind, std::int64_t>> absent_objects;
  std::vector<std::string> absent_tags;
};

class PointStore {
 public:
  PointStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  std::vector<Point> Points();  ///< of all generations, newest first
  /// The time before which states of the collection are not known: it did not exist, or they are forgotten. None without a
  /// collection.
  std::optional<sql::Time> KnownSince();

  /// What was there before the sync with this usn, and nothing that syncs have not changed since. Applied in the
  /// order of the calls, the last version of a row counts. `absent`: id of a row that did not exist. Read in pages, in
  /// constant memory: the transaction must have one snapshot.
  void EachCard(std::int32_t generation, Usn usn, const std::function<void(const Card&)>& old,
                const std::function<void(std::int64_t id)>& absent);
  void EachNote(std::int32_t generation, Usn usn, const std::function<void(const Note&)>& old,
                const std::function<void(std::int64_t id)>& absent);
  /// Ids of reviews added since, in lists.
  void EachAddedReviews(std::int32_t generation, Usn usn,
                        const std::function<void(const std::vector<std::int64_t>&)>& ids);
  /// None if there is no such point.
  std::optional<OldSmallThings> SmallThings(std::int32_t generation, Usn usn);

  /// Forgets points up to this one. What they keep is deleted later. The caller holds the collection's lock.
  void Forget(std::int32_t generation, Usn usn);
  /// Deletes at most so many rows of each kind (pieces of up to a megabyte) that forgotten points have kept. Whether there
  /// may be more. The caller holds the collection's lock.
  bool DeleteForgotten(int max_rows);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::anki
