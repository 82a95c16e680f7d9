#pragma once
// Reads the collection of one user: its head (one row with the usn and the counters, which is also the lock),
// and the rows a device has not seen. Writers are SessionStore (a sync) and FullSyncStore (upload, restore).
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

inline constexpr std::string_view kService = "anki";  ///< owner of the blobs
/// anki_collections.import_step: which rows of the base file the import adds next.
enum class ImportStep : std::int16_t { kCards = 0, kNotes = 1, kReviews = 2, kDone = 3 };

/// The head of a collection: a row of anki_collections or anki_history.
struct Collection {
  std::int32_t generation = 0;
  CollectionMeta meta{};
  CollectionCounts counts{};  ///< includes the rows of a base file that is still being imported
  /// The newest usn of each kind of row. Lets a sync skip kinds that the client has seen.
  Usn cards_usn = 0, notes_usn = 0, revlog_usn = 0, graves_usn = 0, objects_usn = 0, tags_usn = 0;
  BlobId base_blob{};
  std::int64_t base_bytes = 0;  ///< uncompressed size of the base file
  Usn base_usn = 0;             ///< rows with this usn or a higher one are newer than the base file
  std::int64_t base_mod_ms = 0, base_schema_ms = 0;
  bool was_unburied = false;  ///< cards were unburied since the base file
  ImportStep import_step = ImportStep::kCards;
  std::int64_t import_after = 0;
  bool has_long_data = true;  ///< there may be card data of more than 200 bytes

  /// The usn below which a client has seen everything, if it sends `client_usn`. A value above our usn comes
  /// from a base file whose usn was too large to continue from: such a client has seen that file.
  Usn SeenBy(Usn client_usn) const { return client_usn > meta.usn ? base_usn : client_usn; }
  bool IsImported() const { return import_step == ImportStep::kDone; }
  /// Nothing has changed since the base file.
  bool IsBaseCurrent() const {
    return meta.usn == base_usn && meta.mod_ms == base_mod_ms && meta.schema_ms == base_schema_ms &&
           !was_unburied;
  }
};

/// For meta. For an account without data, schema_ms is the account's creation time, which never changes, and
/// mod_ms and usn are 0.
struct CollectionTimes {
  bool exists;
  std::int64_t mod_ms, schema_ms;
  Usn usn;
  bool is_empty;       ///< no cards
  bool is_over_quota;  ///< the account, with all its services
  Usn media_usn;       ///< of the newest change of media
};

inline constexpr std::int64_t kAnySize = std::numeric_limits<std::int64_t>::max();

/// Clients keep a few hundred bytes in a card's data. A page with more than this in one card is read card by card.
inline constexpr std::int64_t kMaxCardData = 64 << 10;

/// Thrown if the rows asked for have more bytes than the caller accepts. The bytes have not been fetched.
struct TooLargeToSend {};

/// Which rows to read: those of `generation` with at least `usn`.
struct Since {
  std::int32_t generation;
  Usn usn;
  /// The fence of a session whose staged graves are treated as applied; 0: none.
  std::int64_t without_deleted_by = 0;
  /// Limit for the texts of one note, for the data of a card (with kMaxCardData), and for the JSON of all objects
  /// together, or the names of all tags.
  std::int64_t max_bytes = kAnySize;
};

/// The last row that a page of CardsSince, NotesSince or ReviewsSince had. Before the first page: the default.
struct RowPosition {
  Usn usn = -1;  ///< 0 for rows of the base file, which come first
  std::int64_t id = 0;
};

/// Equal for tags that differ only in case. Short enough for an index, whatever the tag's length.
std::string TagKey(std::string_view name);

class CollectionStore {
 public:
  CollectionStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  CollectionTimes FindTimes();
  std::optional<Collection> Find();
  sql::Asked<std::optional<Collection>> AskFind();
  /// As Find, and locks the collection: no other transaction changes it until this one ends.
  std::optional<Collection> Lock();
  sql::Asked<std::optional<Collection>> AskLock();
  /// As Lock. If there is no collection, no other transaction can create the first one until this one ends.
  /// Error Unauthenticated "account_gone" if there is none and the account is disabled or removed.
  std::optional<Collection> LockOrReserve();
  /// This and the next two throw TooLargeToSend if the answer has more than `max_bytes`.
  std::string Config(std::int32_t generation, std::int64_t max_bytes = kAnySize);
  /// Collection and config in one round trip.
  std::optional<std::pair<Collection, std::string>> FindWithConfig(std::int64_t max_bytes);
  GraveIds GravesSince(std::int32_t generation, Usn since, std::int64_t max_bytes = kAnySize);
  /// Notetypes, decks and deck configs. Throws TooLargeToSend if their JSON has more than `max_bytes`.
  SmallObjects ObjectsSince(const Since& since);
  /// Throws TooLargeToSend as ObjectsSince.
  std::vector<Tag> TagsSince(const Since& since);
  /// One page of at most `limit` rows after a position. Calls `row` with each and its position. True if there
  /// may be more. Throws TooLargeToSend if the texts of a row have more than `max_bytes`.
  bool CardsSince(const Since& since, RowPosition after, int limit,
                  const std::function<void(const Card&, RowPosition)>& row);
  /// As CardsSince.
  bool NotesSince(const Since& since, RowPosition after, int limit,
                  const std::function<void(const Note&, RowPosition)>& row);
  bool ReviewsSince(const Since& since, RowPosition after, int limit,
                    const std::function<void(const Review&, RowPosition)>& row);

  static Collection FromRow(const sql::Row& row);
  static std::optional<Collection> MaybeFromRows(const sql::Rows& rows);  ///< of at most one row
  /// Of the first columns of cards_since and old_cards, of notes_since and old_notes.
  static Card CardFromRow(const sql::Row& row);
  static Note NoteFromRow(const sql::Row& row);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::anki
