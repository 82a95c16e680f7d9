#pragma once
// Going back: what was is pushed again, as a new version. Nothing of the past is rewritten.
#include <cstdint>
#include <string>

#include "handlers/decks/publishing/push_flow.h"

namespace syncline::decks {

/// A card as it was at the end of a version; removed, if it was not there. Throws Error NotFound "version_not_found".
Pushed RollBackCard(const DeckWriter& to, const Deck& deck, const std::string& guid, Version version,
                    UserId who);
/// All cards and note types. `changes_files`: the caller has rolled back files, too.
Pushed RollBackDeck(const DeckWriter& to, const Deck& deck, Version version, UserId who, bool changes_files);

struct RebuiltDeck {
  std::int64_t card_count = 0;
  std::string content_hash{};  ///< of the cards as they were
};
/// From the versions of the cards. To be compared with what the release has recorded.
RebuiltDeck Rebuild(CardStore& cards, const Deck& deck, Version version);

}  // namespace syncline::decks
