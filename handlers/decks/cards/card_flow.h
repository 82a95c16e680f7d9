#pragma once
// Reading the cards of a deck of any size.
#include <cstdint>
#include <functional>

#include "handlers/base/context.h"
#include "handlers/decks/cards/card_store.h"

namespace syncline::decks {

/// Calls `card` for at most `limit` cards after an ordinal, in short reads: whoever is slow holds no snapshot. `after_read`: after
/// each of them, before its cards; may throw. Returns the last ordinal.
std::int64_t EachCard(Context& context, DeckId deck, std::int64_t after, std::int64_t limit,
                      const std::function<void(const Card&)>& card,
                      const std::function<void()>& after_read = {});

}  // namespace syncline::decks
