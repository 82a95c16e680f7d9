#pragma once
// What changed in a deck since a client last looked: which part of the log it is sent, and which of its own pending edits meet
// changes of others.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "handlers/decks/cards/card_store.h"
#include "handlers/decks/cards/reader_store.h"
#include "handlers/decks/catalogue/deck_store.h"
#include "handlers/decks/dialect/cursor_rules.h"
#include "handlers/decks/publishing/suggestion_store.h"

namespace syncline::decks {

struct PulledEntry {
  std::int64_t seq = 0;
  std::string guid{};
  std::optional<std::string> field{};  ///< none: the card was removed
  std::string_view kind{};             ///< add, modify, delete
  std::string old_json = "\"\"", json = "\"\"";
  Version version{};
  sql::Time created_at{};
};

struct PulledConflict {
  std::string guid{}, field{}, local_json{}, server_json{};
  std::int64_t seq = 0, number = 0;
};

struct Pulled {
  std::vector<PulledEntry> entries{};  ///< in the order of the log
  std::vector<PulledConflict> conflicts{};
  std::vector<std::string> revived{};
  bool has_more = false;
  bool is_reset = false;                   ///< the client's place was not one of this deck
  std::optional<std::int64_t> last_seq{};  ///< where the client goes on; none: there is no log
};

struct PullRequest {
  Cursor cursor{};
  std::int64_t limit = 1000;
  DeviceId device{};
};

/// Of each field only the last value, so that an older one is never written over a newer one. A conflict is told once to each
/// computer, and then neither as a conflict nor as a change again: how it ends is decided there.
Pulled PullChanges(CardStore& cards, ReaderStore& readers, SuggestionStore& suggestions, const Deck& deck,
                   const PullRequest& request);

}  // namespace syncline::decks
