#pragma once
// Which deck a call is about, and whether its caller may do that. 403 makes the add-on forget its login, so it is for what its
// screens do not offer: they list only what their user may open.
#include <string>

#include "handlers/base/context.h"
#include "handlers/decks/catalogue/deck_store.h"

namespace syncline::decks {

enum class Need {
  kRead,  ///< public, subscribed, maintained or own
  kEdit,  ///< its owner and its maintainers
  kOwn,   ///< its owner
};

/// Whether the caller may do everything everywhere.
bool IsAdmin(const Context& context);
bool MayEdit(const Deck& deck, const Context& context);

/// The deck. Throws Error NotFound "deck_not_found", Forbidden "no_access" or "not_your_deck".
Deck OpenDeck(DeckStore& decks, const Context& context, const std::string& id, Need need);
/// The same, and keeps others from writing it.
Deck LockDeck(DeckStore& decks, const Context& context, const std::string& id, Need need);

}  // namespace syncline::decks
