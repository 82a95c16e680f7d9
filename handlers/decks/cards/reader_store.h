#pragma once
// What an account has of a deck beside its cards: its subscription, how far each of its computers is, protected fields, states of
// its cards, progress.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "handlers/base/ids.h"
#include "handlers/decks/dialect/id_wire.h"
#include "handlers/decks/dialect/version_rules.h"
#include "sql/tx.h"

namespace syncline::decks {

struct Subscription {
  std::optional<sql::Time> subscribed_at{}, last_synced_at{};
  bool is_enabled = true, notifies = true;
  std::optional<Version> synced_version{};
  std::vector<std::string> protected_fields{};
};

/// What check-updates says of a deck.
struct Followed {
  DeckId deck{};
  std::optional<sql::Time> last_synced_at{};
  std::string notes{};  ///< of the newest release
};

struct Suspension {
  std::string guid{};
  std::int64_t card_ord = 0;
  std::optional<bool> is_suspended{}, is_buried{};  ///< none in a push: as it is
  sql::Time updated_at{};
};

class ReaderStore {
 public:
  ReaderStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  void Subscribe(DeckId deck, std::optional<bool> is_enabled = std::nullopt,
                 std::optional<bool> notifies = std::nullopt);
  void Unsubscribe(DeckId deck);
  /// After either; the caller holds the deck's lock.
  void CountSubscribers(DeckId deck);
  std::optional<Subscription> Find(DeckId deck);
  std::vector<Followed> ListFollowed(const std::vector<std::int64_t>& decks);

  /// The deck up to `seq` was sent: `version`, if that is known. Whether it arrived shows in the place that the computer names next.
  void NoteDownload(DeckId deck, DeviceId device, std::int64_t seq, std::optional<Version> version);
  /// The log at the first page of a full sync; its last page asks for it again. 0: none.
  void OfferPosition(DeckId deck, DeviceId device, std::int64_t seq);
  std::int64_t OfferedPosition(DeckId deck, DeviceId device);
  /// `version`: up to which it has everything, if that is known.
  void NotePull(DeckId deck, std::optional<Version> version);
  /// The computer has named this place in the log, so it has the changes up to there. Confirms its last download.
  void NotePosition(DeckId deck, DeviceId device, std::int64_t seq);
  struct Place {
    std::int64_t seq = 0;         ///< what it has named; 0: nothing known
    std::int64_t pushed_seq = 0;  ///< at least `seq`: what it knew of when it pushed
    std::int64_t whole_seq =
        0;  ///< at most `pushed_seq`: up to where it has tags, types and paths, which no pull brings
    /// False: this computer has no place and has downloaded nothing, and pushed_seq is that of the account's that is the
    /// furthest behind. Every login is a computer of its own here, so most have had another number before.
    bool is_own = false;
  };
  Place PlaceOf(DeckId deck, DeviceId device);
  /// This computer had nothing to catch up on, and knows its own push, which has moved the end of the log to `seq`.
  void NotePush(DeckId deck, DeviceId device, std::int64_t seq);

  void SetProtectedFields(DeckId deck, const std::vector<std::string>& names);
  /// By the ids that clients know.
  std::vector<std::pair<std::string, std::vector<std::string>>> AllProtectedFields();

  /// How many have really changed.
  std::int64_t PushSuspensions(DeckId deck, const std::vector<Suspension>& states);
  std::vector<Suspension> Suspensions(DeckId deck, std::optional<sql::Time> since);
  /// Everything that was stamped before this can be read by a later transaction.
  sql::Time QuietTime();
  /// `snapshot`: a JSON object.
  void SaveProgress(DeckId deck, const std::string& snapshot);

  /// Decks with subscriptions whose computers have not called for so long, and still count.
  std::vector<DeckId> DecksWithIdle(int days);
  /// They count no more. The caller holds the lock of the deck.
  void MarkIdle(DeckId deck, int days);
  void Forget(int days);
  /// Up to `limit` notices, withdrawn suggestions, states and snapshots of those that nobody asks for any more. 0: none is left.
  std::int64_t ForgetRows(int days, int limit);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::decks
