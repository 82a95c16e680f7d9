#pragma once
// The cards of a deck, its log, its versions and its note types. The caller has looked at the deck, and what it may do
// (DeckStore); whoever changes something holds the deck's lock.
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "handlers/base/ids.h"
#include "handlers/decks/cards/card_wire.h"
#include "handlers/decks/cards/merge_rules.h"
#include "handlers/decks/cards/note_type_wire.h"
#include "handlers/decks/dialect/id_wire.h"
#include "handlers/decks/dialect/version_rules.h"
#include "sql/tx.h"

namespace syncline::decks {

struct Card {
  std::string guid{};
  std::int64_t ord = 0;
  CardContent content{};
  std::string hash{};
  Version version{};
  std::int64_t added_seq = 0;
  std::optional<std::int64_t> removed_seq{};  ///< none: it is there
  bool is_cleared = false;
  sql::Time updated_at{};
};

/// A card as it shall be. 0: as it is.
struct SavedCard {
  std::string guid{};
  std::int64_t new_ord = 0;
  CardContent content{};
  std::string hash{};
  std::int64_t added_seq = 0, removed_seq = 0;
  bool is_cleared = false;
  UserId who{};  ///< has changed it
};

struct LogEntry {
  std::string guid{}, kind{}, field{}, old_value{};
  UserId who{};
};

/// By what kind of call something changes ("push", "import", "suggestion", "rollback").
struct Change {
  DeckId deck{};
  Version version{};
  UserId who{};  ///< has called
  std::string_view origin = "push";
  DeviceId device{};  ///< which has what it changes; 0: none has
};

/// Which part of the log a pusher has seen.
struct SeenPart {
  std::int64_t seq = 0;
  std::int64_t whole_seq = 0;  ///< the same of tags, types and paths
  UserId who{};
  DeviceId device{};  ///< whose own changes it has seen, too; 0: those of all computers of the person
};

struct Release {
  Version version{};
  std::string notes{};
  std::int64_t added = 0, modified = 0, deleted = 0, card_count = 0;
  std::string content_hash{};
  std::int64_t last_seq = 0;
  sql::Time created_at{};
};

/// How many cards are read at once.
struct CardLimit {
  std::int64_t cards = 0;
  std::int64_t bytes =
      std::numeric_limits<std::int64_t>::max();  ///< of their fields; only the last card exceeds them
};
/// For cards that are held in memory.
inline constexpr CardLimit kCardsAtOnce{250, 16 << 20};
inline constexpr std::int64_t kAllCards = std::numeric_limits<std::int64_t>::max();

/// An entry of the log as a client needs it.
struct PulledChange {
  std::int64_t seq = 0;
  std::string guid{}, kind{}, field{};
  Version version{};
  sql::Time created_at{};
  std::string fields{};                     ///< of the card now
  std::string old_value{};                  ///< a JSON string
  bool is_new = false;                      ///< the client does not have the card
  std::vector<std::string> later_fields{};  ///< of "add": that have entries of their own
  std::vector<std::string>
      changed_fields{};  ///< of "add", if the client had the card before: those of any change since
};

struct ChangePage {
  std::vector<PulledChange> changes{};
  bool has_more = false;
};

struct RemovedCard {
  std::int64_t seq = 0;
  std::string guid{};
  Version version{};
  sql::Time created_at{};
};

struct TagChange {
  std::string guid{}, tags{}, old_tags{};
  sql::Time updated_at{};
  std::int64_t seq = 0;
};

struct TagPage {
  std::vector<TagChange> changes{};
  bool has_more = false;
};

struct CardVersion {
  Version version{};
  bool is_removed = false;
  CardContent content{};
  UserId who{};
  std::string origin{}, guid{}, hash{};
  sql::Time created_at{};
};

struct CardHistory {
  std::vector<CardVersion>
      versions{};  ///< the newest first; the last one is only the state before if there are more
  bool has_more = false;
};

/// How large a card is, now and as it was once together.
struct SizedCard {
  std::string guid{};
  std::int64_t bytes = 0;
};

/// The newest version, as far as it matters to a push that names the same.
struct OpenRelease {
  std::optional<Version> asked{};  ///< that its pushes have named
  bool is_open = false;            ///< its pusher goes on: batches come one after the other
};

class CardStore {
 public:
  CardStore(sql::Tx& tx, UserId /*asking*/) : tx_(tx) {}

  std::vector<Card> Find(DeckId deck, const std::vector<std::string>& guids);
  std::vector<std::string> GuidsBeside(DeckId deck, const std::vector<std::string>& guids);
  /// Those of `guids` that are there.
  std::vector<std::string> LiveGuids(DeckId deck, const std::vector<std::string>& guids);
  /// Calls `card` with the cards after an ordinal, in constant memory: at most `limit.cards` of them, and none after
  /// `limit.bytes`. It must not use the transaction.
  void Each(DeckId deck, std::int64_t after_ord, const CardLimit& limit,
            const std::function<void(const Card&)>& card);

  /// Calls `fields` with the note type and the fields of each card of these types, in constant memory. It must not use the
  /// transaction.
  void EachOfTypes(DeckId deck, const std::vector<std::string>& types,
                   const std::function<void(const std::string& type, const Fields& fields)>& fields);

  /// These return by how many bytes the texts of the deck have grown.
  std::int64_t Save(const Change& change, const std::vector<SavedCard>& cards);
  /// Numbers the entries from `first_seq` on.
  std::int64_t AddToLog(const Change& change, std::int64_t first_seq, const std::vector<LogEntry>& entries);
  /// Adds the counts to those of the release, if there is one already. `asked`: the version that the push has named.
  void SaveRelease(const Change& change, const Release& release, std::optional<Version> asked);
  /// None: no push has made this version.
  std::optional<OpenRelease> FindOpen(DeckId deck, Version version, UserId who);
  std::optional<Release> FindRelease(DeckId deck, Version version);
  std::vector<Release> Releases(DeckId deck, std::optional<Version> after, std::int64_t limit);
  /// The last release that lies at or before this place in the log.
  std::optional<Version> VersionAt(DeckId deck, std::int64_t seq);

  /// At most `limit` of them, and less if they are large.
  ChangePage ChangesSince(DeckId deck, std::int64_t seq, std::int64_t up_to, std::int64_t limit);
  std::vector<RemovedCard> RemovedSince(DeckId deck, std::int64_t seq, std::int64_t up_to);
  std::vector<std::string> RevivedSince(DeckId deck, std::int64_t seq, std::int64_t up_to);
  /// At most `limit` of them, and less if they are large.
  TagPage TagsSince(DeckId deck, std::int64_t seq, std::int64_t limit);
  /// The end of the log at a time; 0: before its begin.
  std::int64_t SeqAt(DeckId deck, sql::Time time);
  /// Of these cards, by their guids, in the order of the log.
  std::map<std::string, std::vector<UnseenChange>> Unseen(DeckId deck, const SeenPart& seen,
                                                          const std::vector<std::string>& guids);
  /// Cards that the pusher cannot have.
  std::vector<std::string> UnseenCards(DeckId deck, const SeenPart& seen);

  /// At most `limit` versions, fewer if they are large, and the one before them.
  CardHistory History(DeckId deck, const std::string& guid, std::int64_t limit);
  std::optional<CardVersion> At(DeckId deck, const std::string& guid, Version version);
  /// All cards at the end of a version, those that were removed by then too.
  void EachAt(DeckId deck, Version version, const std::function<void(const CardVersion&)>& card);
  /// Those of `guids` that were there at the end of a version, as they were.
  std::vector<CardVersion> FindAt(DeckId deck, const std::vector<std::string>& guids, Version version);
  /// Cards that later versions touched, in the order of their arrival.
  std::vector<SizedCard> SizesAfter(DeckId deck, Version version);

  std::vector<NoteType> NoteTypes(DeckId deck);
  /// By their names, without case.
  std::vector<NoteType> FindNoteTypes(DeckId deck, const std::vector<std::string>& names);
  /// As part of the version.
  std::int64_t SaveNoteType(const Change& change, const NoteType& type);
  /// Those that later versions have changed, as they were at the end of this one.
  std::vector<NoteType> NoteTypesAt(DeckId deck, Version version);
  /// How many of these first fields (FirstKey) are those of cards that are there, beside these cards.
  std::int64_t CountTwins(DeckId deck, const std::vector<std::int64_t>& keys,
                          const std::vector<std::string>& beside);

 private:
  sql::Tx& tx_;
};

}  // namespace syncline::decks
