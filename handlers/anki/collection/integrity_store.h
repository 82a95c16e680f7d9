#pragma once
// Counts, in a collection's rows, the problems that Anki's "Check Database" would find and repair. Source:
// behaviour of the reference implementation, rslib/src/dbcheck.rs of ankitects/anki.
//
// Left out on purpose: problems that rows cannot have, because reading an upload converts the values as
// Anki's reader does (reals, bytes that are not text); and missing times of the last review, which newer
// clients add to older cards and which are no defect.
#include <cstdint>

#include "handlers/anki/objects/rows_wire.h"
#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::anki {

struct Integrity {
  std::int64_t missing_notetypes = 0;
  std::int64_t high_positions = 0;  ///< new cards with a position of two millions or more
  std::int64_t bad_cards = 0;       ///< values; a card may have several
  std::int64_t without_note = 0;
  std::int64_t missing_decks = 0;     ///< with cards, or parents of others
  std::int64_t wrong_fields = 0;      ///< notes
  std::int64_t duplicate_cards = 0;   ///< of the same template of the same note
  std::int64_t without_template = 0;  ///< cards
  std::int64_t bad_reviews = 0;
  std::int64_t in_future = 0;  ///< notes, cards, reviews with an id of later than tomorrow
};

class IntegrityStore {
 public:
  IntegrityStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}
  /// In a transaction of one snapshot. Reads every row, in constant memory: some seconds for a million cards. The rows of the
  /// generation must have been imported.
  Integrity Check(std::int32_t generation, std::int64_t now_ms);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::anki
