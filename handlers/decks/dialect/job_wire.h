#pragma once
// Jobs about one deck.
#include <string_view>

#include "handlers/base/job.h"
#include "handlers/decks/dialect/id_wire.h"

namespace syncline::decks {

/// One at a time for a deck, and for the account of the job, if it has one.
NewJob JobOfDeck(std::string_view kind, DeckId deck);
DeckId DeckOf(const Job& job);

}  // namespace syncline::decks
