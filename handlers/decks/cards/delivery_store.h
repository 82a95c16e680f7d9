#pragma once
// Deliveries: which subscribers have a deck in their own collections, how far each is, and what it has got of each card, which is
// the base of the next merge (delivery/deliver_flow.h does the work).
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "handlers/base/ids.h"
#include "handlers/decks/dialect/id_wire.h"
#include "sql/tx.h"

namespace syncline::decks {

struct Delivery {
  std::string state{};           ///< on; keeping, removing: it ends, and its notes stay or go
  bool deletes_removed = false;  ///< notes of removed cards are deleted instead of suspended
  std::int64_t seq = 0;          ///< the log up to which the collection has the deck
  std::int32_t generation = 0;   ///< of the collection, and its usn: what changed before has been looked at
  std::int32_t usn = 0;
  std::map<std::string, std::int64_t> homes{};  ///< the decks of paths, whatever their names are
  /// The files that the collection has: a hash over all names and contents, and the time of the newest. None: not begun.
  std::optional<std::string> media_hash{};
  std::optional<sql::Time> media_at{};
  bool restores = false;  ///< notes that the subscriber has deleted come again
  std::string problem{};  ///< a code; empty: it goes on
  sql::Time started_at{};
  std::optional<sql::Time> delivered_at{};  ///< when the collection last had all of the deck
  std::int64_t notes = 0;
};

struct DeliveredNote {
  std::string guid{};
  std::string state = "there";  ///< there; suspended: its card was removed; deleted: by the subscriber
  bool is_adopted = false;      ///< it was there before, and stays when delivery ends
  std::string hash{};           ///< of the card
  std::string fields = "{}";    ///< as they were stored: a JSON object
  std::string tags{};           ///< of the card
  std::string older_tags{};     ///< of the card, before those were delivered
  std::vector<std::int64_t> suspended_cards{};
};

struct ChangedPart {
  std::vector<std::string> guids{};
  std::int64_t seq = 0;  ///< its end
};

/// A card of a note that delivery suspends; 0: the note has none to suspend.
struct SuspendedCard {
  std::string guid{};
  std::int64_t card = 0;
};

struct DeliveryKey {
  DeckId deck{};
  UserId user{};
};

class DeliveryStore {
 public:
  DeliveryStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  /// Begins with the whole deck, or goes on, and enqueues the job. None: as it is.
  void Start(DeckId deck, std::optional<bool> deletes_removed);
  /// Notes that the subscriber has deleted come again.
  void RestoreDeleted(DeckId deck);
  /// The job ends it. False: there is none.
  bool End(DeckId deck, bool keeps_notes);
  void Forget(DeckId deck);
  std::optional<Delivery> Find(DeckId deck);
  /// As in Delivery, and keeps it so until the transaction ends. Empty: there is none.
  std::string LockState(DeckId deck);
  void Enqueue(DeckId deck);

  std::vector<DeliveryKey> List(DeckId deck, UserId after, std::int64_t limit);
  /// Of all decks: deliveries with something to do.
  std::vector<DeliveryKey> ListLate(const DeliveryKey& after, std::int64_t limit);

  /// No guids: nothing has changed since.
  ChangedPart ChangedSince(DeckId deck, std::int64_t seq);
  /// By guid and field, as JSON strings.
  std::map<std::string, std::map<std::string, std::vector<std::string>>> EarlierValues(
      DeckId deck, const std::vector<std::string>& guids);
  std::map<std::string, DeliveredNote> Delivered(DeckId deck, const std::vector<std::string>& guids);
  std::vector<std::string> DeliveredGuids(DeckId deck, const std::string& after, std::int64_t limit);

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
  void NoteProblem(DeckId deck, std::string_view problem);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::decks
