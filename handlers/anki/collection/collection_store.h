#pragma once
// The collection of one user as rows: its head (one locked row with the usn and the counters), and what a
// device has not seen yet. Changes come through SessionStore (a sync) and FullSyncStore (an upload, a
// restore).
//
// Lock order, everywhere in this service: the collection, then the session.
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/anki/collection/messages_wire.h"
#include "handlers/anki/objects/rows_wire.h"
#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::anki {

inline constexpr std::string_view kService = "anki";  ///< whose blobs these are
/// anki_collections.import_step: which rows of the base file become rows next.
enum class ImportStep : std::int16_t { kCards = 0, kNotes = 1, kReviews = 2, kDone = 3 };

/// The head of a collection: anki_collections, or one of anki_history.
struct Collection {
  std::int32_t generation = 0;
  CollectionMeta meta{};
  CollectionCounts counts{};  ///< rows, those of a base file that is still being imported included
  /// The newest usn of each kind of row: what a client has seen is not looked for.
  Usn cards_usn = 0, notes_usn = 0, revlog_usn = 0, graves_usn = 0, objects_usn = 0, tags_usn = 0;
  BlobId base_blob{};
  std::int64_t base_bytes = 0;  ///< of the file inside the blob
  Usn base_usn = 0;             ///< rows with this usn or a higher one are newer than the base file
  std::int64_t base_mod_ms = 0, base_schema_ms = 0;
  bool was_unburied = false;  ///< since the base file
  ImportStep import_step = ImportStep::kCards;
  std::int64_t import_after = 0;

  /// What a client has seen that says it has seen everything below `client_usn`. A usn that we have not given
  /// out yet is that of a base file with a usn near the end of all: such a client has seen that file.
  Usn SeenBy(Usn client_usn) const { return client_usn > meta.usn ? base_usn : client_usn; }
  bool IsImported() const { return import_step == ImportStep::kDone; }
  /// The base file is the collection: nothing has changed since.
  bool IsBaseCurrent() const {
    return meta.usn == base_usn && meta.mod_ms == base_mod_ms && meta.schema_ms == base_schema_ms &&
           !was_unburied;
  }
};

/// What meta needs. An account without data has the time of its own creation as schema time, which does not
/// move.
struct CollectionTimes {
  bool exists;
  std::int64_t mod_ms, schema_ms;
  Usn usn;
  bool is_empty;  ///< no cards
};

inline constexpr std::int64_t kAnySize = std::numeric_limits<std::int64_t>::max();

/// What is asked for has more bytes than the caller wants to hold. They have not been read.
struct TooLargeToSend {};

/// Which rows to read: those of a generation from a usn on.
struct Since {
  std::int32_t generation;
  Usn usn;
  /// The fence of a session: what its staged graves delete is left out, as if they had been applied.
  std::int64_t without_deleted_by = 0;
  /// What a note may have in its fields, and all objects together.
  std::int64_t max_bytes = kAnySize;
};

/// Equal for tags that differ in case only. Short enough for an index, however long the tag.
std::string TagKey(std::string_view name);

class CollectionStore {
 public:
  CollectionStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  CollectionTimes FindTimes();
  std::optional<Collection> Find();
  /// As Find, and nobody else changes it or opens a session on it until the transaction ends.
  std::optional<Collection> Lock();
  sql::Asked<std::optional<Collection>> AskLock();
  /// As Lock; when there is none, nobody else makes the first one until the transaction ends. Error
  /// Unauthenticated "account_gone" when there is none and the account is disabled or removed.
  std::optional<Collection> LockOrReserve();
  std::string Config(std::int32_t generation);
  /// Both in one round trip.
  std::optional<std::pair<Collection, std::string>> FindWithConfig();

  GraveIds GravesSince(std::int32_t generation, Usn since);
  /// Notetypes, decks and deck configs. Throws TooLargeToSend when their JSON has more than `max_bytes`.
  SmallObjects ObjectsSince(const Since& since);
  std::vector<Tag> TagsSince(const Since& since);
  /// Pages in (usn, id) order after (usn, id), at most `limit` rows. True: there may be more.
  bool CardsSince(const Since& since, Usn after_usn, std::int64_t after_id, int limit,
                  const std::function<void(const Card&)>& row);
  /// Throws TooLargeToSend when a note has more than `max_bytes` of fields.
  bool NotesSince(const Since& since, Usn after_usn, std::int64_t after_id, int limit,
                  const std::function<void(const Note&)>& row);
  bool ReviewsSince(const Since& since, Usn after_usn, std::int64_t after_id, int limit,
                    const std::function<void(const Review&)>& row);

  static Collection FromRow(const sql::Row& row);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::anki
