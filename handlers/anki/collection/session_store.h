#pragma once
// A sync that is under way: its row, what its client has staged, and the one place where staged things become
// the collection.
//
// Any process serves any request of a session, and any may die. Touch and AskLock lock the row until the
// request's transaction ends; staged rows carry the session's fence, which is new for every start, so that
// nothing staged by an older session is ever applied. Lock order: the collection, then the session.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/anki/collection/collection_store.h"
#include "handlers/anki/collection/merge_rules.h"
#include "handlers/anki/collection/messages_wire.h"
#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::anki {

/// Kinds of content, as bits: what a session has yet to send, and what its client has staged.
enum Part : std::int32_t { kGraves = 1, kObjects = 2, kTags = 4, kReviews = 8, kCards = 16, kNotes = 32 };
inline constexpr std::int32_t kRowParts = kReviews | kCards | kNotes;  ///< what goes out in chunks

struct Session {
  std::int64_t fence = 0;
  std::int32_t generation = 0;
  Usn server_usn = 0;  ///< objects changed in this sync get it
  Usn client_usn = 0;  ///< the client has seen everything below
  bool client_is_newer = false;
  std::optional<std::int64_t> unbury_day;
  std::int32_t to_send = 0, staged = 0;  ///< Part bits
  Usn sent_usn = -1;                     ///< last row sent of the part being sent
  std::int64_t sent_id = 0;
  std::int32_t new_notetypes = 0, new_decks = 0, new_deck_configs = 0;
  bool has_changes = false;  ///< its applyChanges brought something
  std::optional<std::string> config_json;
  std::optional<std::int64_t> created_s;
  std::optional<CollectionCounts> counts;  ///< of the collection after applying; none until asked for

  /// What the client has not seen, as the collection will be once the session's graves are applied.
  Since Unseen(std::int64_t max_bytes = kAnySize) const {
    return {generation, client_usn, (staged & kGraves) != 0 ? fence : 0, max_bytes};
  }
  MergeMoment MergeAt(std::int64_t now_s) const { return {server_usn, client_usn, now_s}; }
};

/// Objects and tags that won their merge, ready to be staged.
struct MergedChanges {
  std::vector<TakenObject> objects;
  std::vector<std::pair<std::string, std::string>> tags;  ///< case-folded key, name
  std::int32_t new_notetypes = 0, new_decks = 0, new_deck_configs = 0;
};

/// Looks up ids in the base file of a collection whose import has not finished.
class ImportingFile {
 public:
  virtual ~ImportingFile() = default;
  virtual std::vector<std::int64_t> Existing(Part part, const std::vector<std::int64_t>& ids) = 0;
};

class SessionStore {
 public:
  SessionStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user), collections_(tx, user) {}

  /// Opens a session, after End: the newest start wins. The collection need not be locked: a session that was
  /// opened on a head that has moved on since is refused by its sanity check and its finish. The fence is not
  /// known before the next Touch.
  Session Start(const Collection& collection, std::string_view key, const StartMessage& message,
                std::optional<std::int64_t> unbury_day, std::int64_t minutes);
  /// The live session of this key, locked and prolonged. `staging`: the parts this request adds to. Error
  /// Conflict "no_session": none, expired, or another device's.
  Session Touch(std::string_view key, std::int64_t minutes, std::int32_t staging = 0);
  sql::Asked<Session> AskTouch(std::string_view key, std::int64_t minutes, std::int32_t staging = 0);
  /// As AskTouch, but does not prolong the session. A caller that also locks the collection asks for that
  /// first.
  sql::Asked<Session> AskLock(std::string_view key);
  /// Ends whatever session the user has, or only the one of `key`, and forgets what it staged. Waits for a
  /// finish that is under way.
  void End(std::optional<std::string_view> key = std::nullopt);
  /// The collection as it is after End, and its config; none: an account without data.
  std::optional<std::pair<Collection, std::string>> EndAndFind();
  /// As End, if it has expired.
  void EndExpired();

  /// Stages for the live session of this key, touching it; when there is none nothing happens. So nobody has
  /// to look at the answer before the commit, which travels with it.
  sql::Asked<Session> StageGraves(std::string_view key, std::int64_t minutes, const GraveIds& graves);
  /// As StageGraves. Error BadInput when a note's notetype is missing or has another number of fields.
  sql::Asked<Session> StageChunk(std::string_view key, std::int64_t minutes, const ReceivedChunk& chunk);
  /// What of `changes` is newer than what we have, with names made unique and the session's usn inside the
  /// JSON. Error BadInput when a notetype has another number of fields or templates than the one it replaces.
  MergedChanges Merge(const Session& session, const Changes& changes, std::int64_t now_s);
  void StageChanges(const Session& session, const MergedChanges& merged, const Changes& changes);
  /// The session is alive, far from expiring, and has no more rows for its client. Locks nothing.
  bool HasNothingToSend(std::string_view key, std::int64_t minutes);
  void RememberSent(const Session& session);

  /// The collection's counters after applying what is staged, unless they are remembered. `file` is asked
  /// while the collection is being imported.
  CollectionCounts CountsAfter(const Session& session, const Collection& collection, ImportingFile* file);
  /// For finish; whatever is staged afterwards makes them unknown again. Prolongs the session.
  void RememberCounts(const CollectionCounts& counts, std::int64_t minutes);
  /// Applies everything staged and ends the session. The caller holds the collection's lock and has checked
  /// that its generation and usn are the session's.
  void Apply(const Session& session, const CollectionCounts& counts, std::int64_t mod_ms);

 private:
  MergedObjects MergeKind(const MergeMoment& moment, const Session& session, ObjectKind kind,
                          const std::vector<Object>& incoming);
  void StageObjects(const Session& session, const std::vector<TakenObject>& objects);
  void StageNotes(std::string_view key, const NoteColumns& notes);
  void MergeTags(const Session& session, const std::vector<std::string>& tags, MergedChanges& merged);
  // How many of these ids, absent from the table, the import will still add. They count as existing.
  std::int64_t CountOnlyInFile(const Session& session, ImportingFile* file, Part part,
                               const std::vector<std::int64_t>& ids);
  void SubtractDeleted(const Session& session, ImportingFile* file, const sql::Rows& graves,
                       CollectionCounts& counts);
  void ClearStaged(std::int32_t staged);
  void ClearStagedOf(const sql::Rows& ended);

  sql::Tx& tx_;
  UserId user_;
  CollectionStore collections_;
};

}  // namespace syncline::anki
