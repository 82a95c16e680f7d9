#pragma once
// How many bytes a collection's rows count against the quota, without their texts (README, "Bytes"). The
// statements count_content and growth_of_*, and the function anki_row_bytes, have the same numbers.
#include <cstddef>
#include <cstdint>

#include "handlers/anki/objects/rows_wire.h"

namespace syncline::anki {

/// Shorter data of a card is part of its constant.
inline constexpr std::size_t kLongDataBytes = 200;
/// Of a notetype, deck or deck config; of a tag; of a grave.
inline constexpr std::int64_t kObjectBytes = 200, kTagBytes = 100, kGraveBytes = 100;

/// The size of a row with its header and index entry.
inline std::int64_t RowBytes(const CollectionCounts& c) {
  return c.cards * 200 + c.notes * 150 + c.revlog * 120;
}

}  // namespace syncline::anki
