#pragma once
// A running sync: its row, what its client has staged, and the only place that applies staged rows to the
// collection.
//
// Any process serves any request of a session, and any may die. Touch and AskLock lock the row until the
// request's transaction ends. Staged rows carry the session's fence, which is new for every start, so that
// rows staged by an older session are never applied. Lock order: the collection, then the session.
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

/// Kinds of content, as bits: what a session still has to send, and what its client has staged.
enum Part : std::int32_t {
  kGraves = 1,
  kObjects = 2,
  kTags = 4,
  kReviews = 8,
  kCards = 16,
  kNotes = 32,
  kLongData = 64,  ///< only staged, besides kCards: data of more than 200 bytes
};
inline constexpr std::int32_t kRowParts = kReviews | kCards | kNotes;  ///< sent in chunks

/// How much a session may stage, in bytes as counted by SessionStore::BytesOf.
struct StagingLimits {
  std::int64_t session = std::int64_t{512} << 20;
  std::int64_t hourly = std::int64_t{4} << 30;  ///< of an account, over all its sessions
};
/// What a request adds to its session.
struct Staging {
  std::int32_t parts = 0;  ///< Part bits
  std::int64_t bytes = 0;
};

/// The collection after applying a session.
struct SyncOutcome {
  CollectionCounts counts{};
  std::int64_t growth = 0;          ///< bytes by which it then counts more for the quota (README, "Bytes")
  std::int64_t content_growth = 0;  ///< the part of the growth that is kept in content_bytes
  /// Rows were still being imported: the texts that staged ones replace were not known, so staged texts count
  /// as new.
  bool is_estimate = false;
};

/// Ids of staged rows that the collection does not have as rows.
struct NewIds {
  std::vector<std::int64_t> cards, notes, reviews;
};

struct Session {
  std::int64_t fence = 0;
  std::int32_t generation = 0;
  Usn server_usn = 0;  ///< given to everything this sync changes
  Usn client_usn = 0;  ///< the client has seen every usn below this
  bool client_is_newer = false;
  std::optional<std::int64_t> unbury_day;
  std::int32_t to_send = 0, staged = 0;  ///< Part bits
  RowPosition sent;                      ///< in the part being sent
  std::int64_t staged_bytes = 0, hourly_staged_bytes = 0;
  std::int32_t new_notetypes = 0, new_decks = 0, new_deck_configs = 0;
  bool has_changes = false;  ///< an applyChanges with objects, config or creation time is staged
  /// By how many bytes the staged config is longer than ours; none: no config is staged.
  std::optional<std::int64_t> config_growth;
  std::optional<std::int64_t> created_s;
  std::optional<std::int64_t> quota_left;  ///< at start, in bytes; none: no quota
  std::optional<SyncOutcome> remembered;   ///< the outcome; none until computed

  /// What the client has not seen, as if the session's graves were applied.
  Since Unseen(std::int64_t max_bytes = kAnySize) const {
    return {generation, client_usn, (staged & kGraves) != 0 ? fence : 0, max_bytes};
  }
  /// The stored outcome, if it is still valid: an estimate becomes invalid once the collection is imported,
  /// because it must not overwrite the texts counted since.
  std::optional<SyncOutcome> OutcomeFor(const Collection& collection) const {
    return remembered && remembered->is_estimate != collection.IsImported() ? remembered : std::nullopt;
  }
  MergeMoment MergeAt(std::int64_t now_s, bool may_keep_equal) const {
    return {server_usn, client_usn, now_s, may_keep_equal};
  }
};

/// Objects and tags that won their merge, ready to be staged.
struct MergedChanges {
  std::vector<TakenObject> objects;
  std::vector<std::pair<std::string, std::string>> tags;  ///< case-folded key, name
  std::int32_t new_notetypes = 0, new_decks = 0, new_deck_configs = 0;
};

class SessionStore {
 public:
  SessionStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user), collections_(tx, user) {}

  /// Opens a session; call End first: the newest start wins. The collection need not be locked: if its head
  /// has changed since it was read, sanity check and finish refuse the session. The returned session has no
  /// fence; the next Touch reads it.
  Session Start(const Collection& collection, std::string_view key, const StartMessage& message,
                std::optional<std::int64_t> unbury_day, std::int64_t minutes,
                const StagingLimits& limits = {});
  /// Returns the live session with this key, locked and prolonged. `staging`: what this request adds. Error
  /// Conflict "no_session" if there is none, it has expired, or it is another device's. If the session has
  /// staged more than it may: TooLarge "sync_too_large", StorageFull "over_quota" (more than the quota has
  /// left, with some slack), TooMany "too_much_staged" (the account has used up its hourly rate). Then nothing
  /// is staged, and the caller should end the session.
  Session Touch(std::string_view key, std::int64_t minutes, const Staging& staging = {});
  sql::Asked<Session> AskTouch(std::string_view key, std::int64_t minutes, const Staging& staging = {});
  /// As AskTouch, but does not prolong the session. A caller that also locks the collection does so first.
  sql::Asked<Session> AskLock(std::string_view key);
  /// Ends the user's session, with `key` only if it has that key, and clears what it staged. Waits for a
  /// running finish.
  void End(std::optional<std::string_view> key = std::nullopt);
  /// As End, then reads the collection and its config; none for an account without data. Throws TooLargeToSend for a
  /// config of more than `max_bytes`.
  std::optional<std::pair<Collection, std::string>> EndAndFind(std::int64_t max_bytes);
  /// As End, if it has expired.
  void EndExpired();

  /// The approximate disk space of these while they are staged: the length of texts, and a constant for each
  /// row.
  static std::int64_t BytesOf(const GraveIds& graves);
  static std::int64_t BytesOf(const ReceivedChunk& chunk);
  static std::int64_t BytesOf(const Changes& changes);

  /// Touches the live session with this key and stages for it. Stages nothing if there is none, so the caller
  /// need not read the result before the commit, which is sent along. The result throws as Touch does.
  sql::Asked<Session> StageGraves(std::string_view key, std::int64_t minutes, const GraveIds& graves);
  /// As StageGraves. Error BadInput if a note's notetype is missing or has another number of fields.
  sql::Asked<Session> StageChunk(std::string_view key, std::int64_t minutes, const ReceivedChunk& chunk);
  /// The part of `changes` that wins over our objects and tags, with unique names and the session's usn in
  /// the JSON. Error BadInput if a notetype has another number of fields or templates than the one it
  /// replaces.
  MergedChanges Merge(const Session& session, const Changes& changes, const MergeMoment& moment);
  void StageChanges(const Session& session, const MergedChanges& merged, const Changes& changes);
  /// Error Conflict "no_session" if no session with this key is live. Takes no locks.
  void RequireLive(std::string_view key);
  /// Whether the session has no more rows to send and at least half its lifetime left. Takes no locks.
  bool HasNothingToSend(std::string_view key, std::int64_t minutes);
  void RememberSent(const Session& session);

  /// Asked together with AskLock: one round trip. Ask for the collection's head first.
  sql::Asked<NewIds> AskNewIds(std::string_view key);
  /// The collection after applying what is staged. Error StorageFull "over_quota" if it grows, and by more than
  /// the quota had left at start.
  SyncOutcome OutcomeOf(const Session& session, const Collection& collection, const NewIds& new_ids);
  /// Stores the outcome for finish, until something else is staged. Prolongs the session.
  void RememberOutcome(const SyncOutcome& outcome, std::int64_t minutes);
  /// Applies everything staged and ends the session. What it replaces is kept: PointStore. `device`: that of the
  /// session's client; none: not a device. The caller holds the collection's lock and has checked
  /// that its generation and usn are the session's. Error StorageFull "over_quota" if it grows by much, and
  /// uploads have taken the room since start. Throws TooLargeToSend if it must change a config of more than
  /// `max_bytes`.
  void Apply(const Session& session, const SyncOutcome& outcome, std::int64_t mod_ms, DeviceId device = {},
             std::int64_t max_bytes = kAnySize);

 private:
  MergedObjects MergeKind(const MergeMoment& moment, const Session& session, ObjectKind kind,
                          const std::vector<Object>& incoming);
  void StageObjects(const Session& session, const std::vector<TakenObject>& objects);
  void StageNotes(std::string_view key, const NoteColumns& notes);
  void MergeTags(const Session& session, const std::vector<std::string>& tags, MergedChanges& merged);
  // How many of these ids, which are not in the table, the import will still add. They count as existing.
  std::int64_t CountOnlyInFile(const Collection& collection, Part part, const std::vector<std::int64_t>& ids);
  void SubtractDeleted(const Collection& collection, const sql::Rows& graves, CollectionCounts& counts);
  void ClearStaged(std::int32_t staged);
  void CountStaged(std::int64_t bytes, std::int64_t hourly);
  void ClearStagedOf(const sql::Rows& ended);

  sql::Tx& tx_;
  UserId user_;
  CollectionStore collections_;
};

}  // namespace syncline::anki
