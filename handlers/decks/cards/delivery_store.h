#pragma once
// Deliveries: which subscribers have a deck in their own collections, how far each is, and what it has got of each card, which is
// the base of the next merge (delivery/deliver_flow.h does the work).
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "handlers/base/ids.h"
#include "handlers/decks/dialect/id_wire.h"
#include "sql/tx.h"

namespace syncline::decks {

/// On; or it ends, and its notes stay or go.
enum class DeliveryState { kOn, kKeeping, kRemoving };
const char* NameOf(DeliveryState state);  ///< on, keeping, removing
/// What becomes of the notes of removed cards.
enum class RemovedNotes { kSuspended, kDeleted };
/// What becomes of a delivery's notes when it ends.
enum class NotesAfterwards { kStay, kGo };

struct Delivery {
  DeliveryState state{};
  RemovedNotes removed{};
  std::int64_t seq = 0;         ///< the log up to which the collection has the deck
  std::int32_t generation = 0;  ///< of the collection, and its usn: what changed before has been looked at
  std::int32_t usn = 0;
  std::map<std::string, std::int64_t> homes{};  ///< the decks of paths, whatever their names are
  /// The files that the collection has: a hash over all names and contents, and the time of the newest. None: not begun.
  std::optional<std::string> media_hash{};
  std::optional<sql::Time> media_at{};
  std::optional<std::string> design_hash{};  ///< the same of note types
  bool restores = false;                     ///< notes that the subscriber has deleted come again
  std::string problem{};                     ///< a code; empty: it goes on
  sql::Time started_at{};
  std::optional<sql::Time> delivered_at{};  ///< when the collection last had all of the deck
  std::int64_t notes = 0;
};

/// There; or suspended, because its card was removed; or deleted by the subscriber.
enum class NoteState { kThere, kSuspended, kDeleted };

struct DeliveredNote {
  std::string guid{};
  NoteState state = NoteState::kThere;
  bool is_adopted = false;    ///< it was there before, and stays when delivery ends
  std::string hash{};         ///< of the card
  std::string fields = "{}";  ///< as they were stored: a JSON object
  std::string tags{};         ///< of the card
  std::string older_tags{};   ///< of the card, before those were delivered
  /// By delivery, and when they had changed last then.
  std::vector<std::int64_t> suspended_cards{}, suspended_mods{};
};

/// A note type that the collection has got.
struct DeliveredType {
  std::string name_key{};                          ///< of the deck's type, without case
  int step = 0;                                    ///< of several of one name the highest counts
  std::int64_t id = 0;                             ///< in the collection
  std::vector<std::string> fields{}, templates{};  ///< names, in the order of the collection
  std::string known = "{}";                        ///< hashes of the texts that were delivered: a JSON object
};

struct ChangedPart {
  std::vector<std::string> guids{};
  std::int64_t seq = 0;  ///< its end
};

/// A card of a note that delivery suspends; 0: the note has none to suspend.
struct SuspendedCard {
  std::string guid{};
  std::int64_t card = 0, mod = 0;
};

struct DeliveryKey {
  DeckId deck{};
  UserId user{};
};

class DeliveryStore {
 public:
  DeliveryStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  /// Begins with the whole deck, or goes on, and enqueues the job. None: as it is.
  void Start(DeckId deck, std::optional<RemovedNotes> removed);
  /// Notes that the subscriber has deleted come again.
  void RestoreDeleted(DeckId deck);
  /// The job ends it. False: there is none.
  bool End(DeckId deck, NotesAfterwards notes);
  /// Its notes are free for other deliveries of the account, whose jobs it enqueues.
  void Forget(DeckId deck);
  std::optional<Delivery> Find(DeckId deck);
  /// As in Delivery, and keeps it so until the transaction ends. None: there is none.
  std::optional<DeliveryState> LockState(DeckId deck);
  void Enqueue(DeckId deck);

  std::vector<DeliveryKey> List(DeckId deck, UserId after, std::int64_t limit);
  /// Of all decks: deliveries with something to do.
  std::vector<DeliveryKey> ListLate(const DeliveryKey& after, std::int64_t limit);

  /// No guids: nothing has changed since.
  ChangedPart ChangedSince(DeckId deck, std::int64_t seq);
  /// By guid and field, as JSON strings.
  std::map<std::string, std::map<std::string, std::vector<std::string>>> EarlierValues(
      DeckId deck, const std::vector<std::string>& guids);
  /// The tags (joined) or subdecks of cards before, the newest first, by guid. `kind`: of the log, tags or path.
  std::map<std::string, std::vector<std::string>> EarlierTexts(DeckId deck, std::string_view kind,
                                                               const std::vector<std::string>& guids);
  /// Those of `guids` that another deck has delivered to the account.
  std::set<std::string> DeliveredElsewhere(DeckId deck, const std::vector<std::string>& guids);
  std::map<std::string, DeliveredNote> Delivered(DeckId deck, const std::vector<std::string>& guids);
  std::vector<std::string> DeliveredGuids(DeckId deck, const std::string& after, std::int64_t limit);
  /// Of cards of a note type.
  std::vector<std::string> DeliveredGuidsOf(DeckId deck, const std::string& note_type,
                                            const std::string& after, std::int64_t limit);
  std::vector<DeliveredType> Types(DeckId deck);
  void SaveType(DeckId deck, const DeliveredType& type);

  /// Not those that another delivery of the account has. The caller has locked the collection.
  void Save(DeckId deck, const std::vector<DeliveredNote>& notes);
  void MarkSuspended(DeckId deck, const std::vector<SuspendedCard>& cards);
  void MarkWoken(DeckId deck, const std::vector<std::string>& guids);
  void MarkDeleted(DeckId deck, const std::vector<std::string>& guids);
  void ForgetNotes(DeckId deck, const std::vector<std::string>& guids);
  /// False: another worker has done it, or the delivery ends.
  bool Advance(DeckId deck, std::int64_t from, std::int64_t to,
               const std::map<std::string, std::int64_t>& homes);
  void NoteLookedAt(DeckId deck, std::int32_t generation, std::int32_t usn);
  void NoteMedia(DeckId deck, const std::string& hash, std::optional<sql::Time> newest);
  void NoteDesigns(DeckId deck, const std::string& hash);
  void NoteProblem(DeckId deck, std::string_view problem);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::decks
