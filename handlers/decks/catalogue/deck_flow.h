#pragma once
// How decks begin and end.
#include <optional>
#include <string>

#include "handlers/base/context.h"
#include "handlers/decks/catalogue/deck_store.h"
#include "handlers/decks/catalogue/person_store.h"
#include "sql/tx.h"

namespace syncline::decks {

/// Whether the account may own one deck more: throws Error Forbidden "subscription_required" or "deck_limit_reached". The caller
/// has locked the account (PersonStore::Lock), so that of two decks at once one is refused.
void RequireRoomForDeck(PersonStore& people);

/// Adds a deck of the account. A repeated call within a minute finds the first one: clients repeat what they got no answer to.
Deck CreateDeck(DeckStore& decks, PersonStore& people, const NewDeck& values);

/// Leaves a tombstone; a job removes the cards and all else. `tx`: of the stores.
DeletedCounts DeleteDeck(DeckStore& decks, sql::Tx& tx, const Deck& deck);

}  // namespace syncline::decks
