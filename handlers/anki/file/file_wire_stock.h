#pragma once
// The initial content of a new collection.
//
// Left out on purpose: translations. Clients that create a collection name the stock notetypes in the user's
// language; only a client that downloads before its first upload gets ours.
#include <cstdint>

#include "handlers/anki/objects/rows_wire.h"

namespace syncline::anki {

/// Deck 1, deck config 1, the six stock notetypes with ids from `first_notetype_id` on, and the config.
SmallObjects StockObjects(std::int64_t first_notetype_id);

}  // namespace syncline::anki
