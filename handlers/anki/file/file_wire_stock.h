#pragma once
// What a collection holds before anybody has put anything into it.
//
// Left out on purpose: translations. Clients name and fill the stock notetypes in the user's language when
// they create a collection themselves; ours is only seen by a client that downloads before it has ever
// uploaded.
#include <cstdint>

#include "handlers/anki/objects/rows_wire.h"

namespace syncline::anki {

/// Deck 1, deck config 1, the six stock notetypes with ids from `first_notetype_id` on, the config of a
/// new collection.
SmallObjects StockObjects(std::int64_t first_notetype_id);

}  // namespace syncline::anki
