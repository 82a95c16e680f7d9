#pragma once
// Decks themselves, and what the account has to do with each: its role and its subscription.
//
// Locks: the row of a deck comes first; whoever changes its cards, its log or its counters holds it. Then rows of its tables,
// then those of users (BlobRefs).
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "handlers/base/ids.h"
#include "handlers/decks/catalogue/deck_wire.h"
#include "handlers/decks/dialect/id_wire.h"
#include "handlers/decks/dialect/version_rules.h"
#include "sql/tx.h"

namespace syncline::decks {

struct Deck {
  DeckId id{};
  UserId owner{};
  ShownDeck shown{};  ///< without the creator's name
  std::int64_t head_seq = 0, next_ord = 1;
  std::string content_hash{};
  bool is_deleted = false, is_deleted_lately = false;
  std::int64_t deleted_cards = 0, deleted_subscribers = 0;
  bool is_owner = false, is_maintainer = false, is_subscribed = false;
  bool is_idle = false;  ///< subscribed, but long without a call: not counted
  std::optional<std::int64_t> baseline_seq{};
  std::optional<Version> synced_version{};
  std::vector<std::string> protected_fields{};

  bool MayEdit() const { return is_owner || is_maintainer; }
  /// Whether there is a version that the account has not been sent.
  bool HasUpdate() const { return !synced_version || *synced_version < shown.version; }
  bool MayRead() const { return MayEdit() || is_subscribed || shown.is_public; }
};

/// To become a maintainer.
struct Invitation {
  std::string deck_public_id{}, deck_title{};
  UserId owner{};
  sql::Time invited_at{};
};

struct DeckPage {
  std::vector<Deck> decks{};
  std::int64_t total = 0;
};

struct DeckCounters {
  Version version{};
  std::int64_t head_seq = 0, next_ord = 1, card_count = 0;
  std::string content_hash{};
  std::int64_t growth = 0;  ///< bytes of texts that were added
};

struct DeletedCounts {
  std::int64_t cards = 0, subscribers = 0;
};

struct Access {
  bool may_read = false, may_edit = false;
};

class DeckStore {
 public:
  DeckStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  /// Deleted ones too, as long as there is a tombstone.
  std::optional<Deck> Find(const std::string& public_id);
  /// The same, and keeps others from writing it.
  std::optional<Deck> Lock(const std::string& public_id);
  /// None: the deck and its tombstone are gone.
  std::optional<std::string> PublicId(DeckId deck);
  /// The same by their number.
  std::optional<Deck> Find(DeckId deck);
  /// What an account may do with a deck that is there, whoever asks: nothing after its login was disabled.
  Access AccessOf(DeckId deck, UserId user);

  /// Owned by the account.
  Deck Add(const NewDeck& deck, const std::optional<std::string>& import_key = std::nullopt);
  /// The id of a deck that the account has made a moment ago with this title, description and visibility, or by this import.
  std::optional<std::string> FindSame(const NewDeck& deck);
  std::optional<std::string> FindImported(const std::string& import_key);
  void Change(DeckId deck, const NewDeck& values, bool clears_image);
  /// A file of it has changed, which makes no version. The caller holds the deck's lock.
  void Touch(DeckId deck);
  void Advance(DeckId deck, const DeckCounters& counters);
  /// Throws Error StorageFull "over_quota" if an owner has more by now than their quota.
  void RequireRoom(UserId owner);
  /// Soon, what its owner has added by then goes into their collection.
  void Collect(DeckId deck, UserId owner);
  /// Soon, the collections of the subscribers to whom it is delivered get what has changed by then. The caller holds the deck's
  /// lock.
  void Spread(DeckId deck);
  /// The guids of the cards that the owner has added since the deck went there last.
  std::vector<std::string> Collected(DeckId deck, UserId owner);
  /// They are there, up to this place in the log.
  void NoteCollected(DeckId deck, std::int64_t seq);
  /// Leaves a tombstone.
  DeletedCounts Delete(DeckId deck);
  std::int64_t RemoveRows(DeckId deck, int batch);
  std::int64_t DropTombstones(int limit);

  std::vector<Deck> ListOwn();
  /// Subscribed, own and maintained ones, by title.
  std::vector<Deck> ListFollowed();
  /// `category`: all, featured, community, verified.
  DeckPage Browse(std::string_view category, const std::optional<std::string>& search, std::int64_t limit,
                  std::int64_t offset);
  /// False: no such deck.
  bool Mark(const std::string& public_id, std::optional<bool> is_verified, std::optional<bool> is_featured);

  std::vector<UserId> Editors(DeckId deck);
  std::vector<UserId> Maintainers(DeckId deck);
  /// False: they are one, were asked before, or have declined within a month.
  bool Invite(DeckId deck, UserId user);
  /// Those to the account that are open, the newest first.
  std::vector<Invitation> Invitations(std::int64_t limit);
  /// The account becomes a maintainer, or does not. False: nobody has asked it.
  bool AcceptInvitation(DeckId deck);
  bool DeclineInvitation(DeckId deck);
  /// And takes an invitation back.
  void RemoveMaintainer(DeckId deck, UserId user);
  /// If the deck is not public. The account may not read it any more then.
  void EndPrivateSubscription(DeckId deck, UserId user);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::decks
