#include "handlers/decks/catalogue/access_flow.h"

namespace syncline::decks {
namespace {

Deck Admitted(std::optional<Deck> deck, const Context& context, Need need) {
  if (!deck || deck->is_deleted) throw NotFound("deck_not_found");
  if (IsAdmin(context)) return *std::move(deck);
  if (!deck->MayRead()) throw Forbidden("no_access");
  if (need == Need::kEdit && !deck->MayEdit()) throw Forbidden("not_your_deck");
  if (need == Need::kOwn && !deck->is_owner) throw Forbidden("not_your_deck");
  return *std::move(deck);
}

}  // namespace

bool IsAdmin(const Context& context) {
  return HasAll(context.roles(), Roles::kAdmin);
}

bool MayEdit(const Deck& deck, const Context& context) {
  return deck.MayEdit() || IsAdmin(context);
}

Deck OpenDeck(DeckStore& decks, const Context& context, const std::string& id, Need need) {
  return Admitted(decks.Find(id), context, need);
}

Deck LockDeck(DeckStore& decks, const Context& context, const std::string& id, Need need) {
  return Admitted(decks.Lock(id), context, need);
}

}  // namespace syncline::decks
