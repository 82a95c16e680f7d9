#pragma once
// Files of a deck that were replaced: each belongs to the version that the deck had then, and comes back with a rollback of the
// deck to that version or one before it. The caller holds the deck's lock; the owner's row in users comes after it (BlobRefs).
// Left out on purpose: files that were added later stay, because nothing was lost by that.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/blobs.h"
#include "handlers/base/ids.h"
#include "handlers/decks/dialect/id_wire.h"
#include "handlers/decks/dialect/version_rules.h"
#include "sql/tx.h"

namespace syncline::decks {

inline constexpr std::string_view kBlobService = "decks";

class FileHistory {
 public:
  FileHistory(sql::Tx& tx, UserId) : tx_(tx) {}

  /// Keeps what a name has now, and the reference to it, before another content gets the name.
  void Keep(DeckId deck, UserId owner, const std::string& name);
  /// Gives names the contents that they had at a version. Returns how many have changed.
  std::int64_t Restore(DeckId deck, UserId owner, Version version);

 private:
  void KeepAll(DeckId deck, UserId owner, const std::vector<std::string>& names);

  sql::Tx& tx_;
};

}  // namespace syncline::decks
