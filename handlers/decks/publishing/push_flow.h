#pragma once
// Changes the cards of a deck, for pushes, imports, accepted suggestions and rollbacks: compares them with the stored cards,
// logs each changed field and counts the changes to a version. Everything happens in the caller's transaction, which holds
// the deck's lock. A push that changes nothing leaves no trace, so repeated calls are harmless.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/context.h"
#include "handlers/decks/cards/card_store.h"
#include "handlers/decks/cards/card_wire.h"
#include "handlers/decks/cards/reader_store.h"
#include "handlers/decks/catalogue/deck_store.h"
#include "handlers/decks/publishing/suggestion_store.h"

namespace syncline::decks {

struct DeckWriter {
  DeckStore& decks;
  CardStore& cards;
  ReaderStore& readers;
  SuggestionStore& suggestions;
};

/// Runs `block`, a function of a DeckWriter and of the stores `More`, in one transaction.
template <typename... More, typename F>
auto WriteDeck(Context& context, F block) {
  return context.Write<DeckStore, CardStore, ReaderStore, SuggestionStore, More...>(
      [&](DeckStore& decks, CardStore& cards, ReaderStore& readers, SuggestionStore& suggestions,
          More&... more) {
        return block(DeckWriter{decks, cards, readers, suggestions}, more...);
      });
}

struct Push {
  std::vector<PushedCard> cards{};  ///< of several cards with one guid, the last one counts
  /// Cards to remove besides those above: by guid; all others; or all of them, to begin anew. When a push begins anew, cards
  /// that come back are compared with the former ones.
  std::vector<std::string> removed{};
  bool removes_others = false;
  bool begins_anew = false;

  /// Their new state. Saved after the cards.
  std::vector<NoteType> note_types{};
  bool changes_files = false;  ///< the caller has changed files of the deck
  /// The publisher wants the new cards, although they look like cards that the deck has under other guids.
  bool is_confirmed = false;

  /// Empty: the next patch, if anything changes.
  std::optional<Version> version{};
  std::string notes{};
  std::string_view origin = "push";  ///< push, import, suggestion, rollback
  UserId who{};
  DeviceId device{};  ///< has the pushed state; 0 if none does
  /// The pushed cards are a computer's copy, which may be old. Values that others have changed since it last pulled stay,
  /// unless it has changed them itself. False: the cards were made for the present state of the deck.
  bool is_copy = false;
  std::vector<std::int64_t> suggestions{};  ///< that this push accepts
  /// The author of a field's change; of the tags, or of the card, for "". Empty: `who` for all.
  std::function<UserId(const std::string& guid, const std::string& field)> author{};
};

struct Pushed {
  Version version{};
  std::int64_t processed = 0, added = 0, modified = 0, removed = 0, total = 0;
  std::int64_t kept = 0;  ///< fields, tags and cards that others have changed in the meantime
  std::int64_t last_seq = 0;
};

/// `deck` comes from LockDeck. Throws Refusal "version_not_newer" or "confirmation_required", Error BadInput "bad_version"
/// or "too_many_fields", StorageFull "over_quota".
Pushed ApplyPush(const DeckWriter& to, const Deck& deck, Push push);
/// The same in steps of bounded size, for a push that does not fit in memory: `next` puts the cards of a step, and the guids
/// to remove, into the push, and returns false after the last step. All steps make one version. No guid may be in two steps.
Pushed ApplySteps(const DeckWriter& to, const Deck& deck, Push push, const std::function<bool(Push&)>& next);

/// Replaces one field of a card.
struct FieldEdit {
  std::string guid{}, field{}, json{};
};
/// Applies edits, and `push`. Edits of missing cards or fields are ignored. Throws Error BadInput "card_too_large" as well.
Pushed ApplyEdits(const DeckWriter& to, const Deck& deck, const std::vector<FieldEdit>& edits, Push push);

}  // namespace syncline::decks
