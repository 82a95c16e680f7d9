#include "handlers/decks/publishing/history_flow.h"

#include <unordered_set>
#include <utility>
#include <vector>

#include "handlers/base/errors.h"

namespace syncline::decks {
namespace {

PushedCard AsPushed(const CardVersion& card) {
  return {card.guid, card.content.note_type, ParseFields(card.content.fields), card.content.tags,
          card.content.subdeck_path};
}

Push RollbackBy(UserId who) {
  Push push;
  push.origin = "rollback";
  push.who = who;
  return push;
}

using Sizes = std::vector<SizedCard>::const_iterator;

// The next cards that may be held in memory at once: at least one.
std::vector<std::string> NextGuids(Sizes& at, Sizes end) {
  std::vector<std::string> guids;
  for (std::int64_t bytes = 0; at != end; ++at) {
    bytes += at->bytes;
    const bool is_full =
        static_cast<std::int64_t>(guids.size()) == kCardsAtOnce.cards || bytes > kCardsAtOnce.bytes;
    if (is_full && !guids.empty()) break;
    guids.push_back(at->guid);
  }
  return guids;
}

}  // namespace

Pushed RollBackCard(const DeckWriter& to, const Deck& deck, const std::string& guid, Version version,
                    UserId who) {
  const auto was = to.cards.At(deck.id, guid, version);
  if (!was) throw NotFound("version_not_found");
  Push push = RollbackBy(who);
  if (was->is_removed) {
    push.removed.push_back(guid);
  } else {
    push.cards.push_back(AsPushed(*was));
  }
  return ApplyPush(to, deck, std::move(push));
}

Pushed RollBackDeck(const DeckWriter& to, const Deck& deck, Version version, UserId who, bool changes_files) {
  Push rollback = RollbackBy(who);
  rollback.note_types = to.cards.NoteTypesAt(deck.id, version);
  rollback.changes_files = changes_files;
  const auto touched = to.cards.SizesAfter(deck.id, version);
  auto at = touched.begin();
  return ApplySteps(to, deck, std::move(rollback), [&](Push& push) {
    if (at == touched.end()) return false;
    const std::vector<std::string> guids = NextGuids(at, touched.end());
    push.cards.clear();
    std::unordered_set<std::string> gone(guids.begin(), guids.end());
    for (const CardVersion& card : to.cards.FindAt(deck.id, guids, version)) {
      gone.erase(card.guid);
      push.cards.push_back(AsPushed(card));
    }
    push.removed.assign(gone.begin(), gone.end());
    return true;
  });
}

RebuiltDeck Rebuild(CardStore& cards, const Deck& deck, Version version) {
  RebuiltDeck rebuilt{0, std::string(kHashBytes, '\0')};
  cards.EachAt(deck.id, version, [&](const CardVersion& card) {
    if (card.is_removed) return;
    ++rebuilt.card_count;
    rebuilt.content_hash = AddHash(rebuilt.content_hash, HashOfCard(card.guid, card.content));
  });
  return rebuilt;
}

}  // namespace syncline::decks
