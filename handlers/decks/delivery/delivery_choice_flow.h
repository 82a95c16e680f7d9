#pragma once
// What a subscriber decides about a delivery, whichever way: by a call, or by an administrator's command.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "handlers/base/context.h"
#include "handlers/decks/cards/delivery_store.h"
#include "handlers/decks/catalogue/deck_store.h"

namespace syncline::decks {

struct DeliveryChoice {
  std::optional<RemovedNotes> removed{};  ///< none: as it is, and at first suspended
  bool restores_deleted = false;          ///< notes that the subscriber has deleted come again
};

/// Subscribes the caller, if they do not follow the deck yet, and starts the delivery or changes it. Throws Error NotFound
/// "deck_not_found", Forbidden "no_access", BadInput "own_deck".
void StartDelivery(Context& context, const std::string& deck, const DeliveryChoice& choice);
/// Again: the same. The subscription stays. Throws Error NotFound "deck_not_found", "not_delivered".
void StopDelivery(Context& context, const std::string& deck, NotesAfterwards notes);

struct SentEdits {
  std::vector<std::int64_t> suggestions{};  ///< their numbers
  std::vector<std::string> skipped{};       ///< guids of edits that are too long for a suggestion
  std::string next{};                       ///< where the next call goes on; empty: this was all
};
/// Suggests what the caller has changed in delivered notes. No guids: in all of them, `after` the guid that the last call returned.
/// Again: the same suggestions. Throws Error
/// NotFound as above, BadInput "too_many_suggestions", Busy "busy" while an upload is being imported.
SentEdits SendEdits(Context& context, const Deck& deck, const std::vector<std::string>& guids,
                    const std::string& after, const std::string& reason);

}  // namespace syncline::decks
