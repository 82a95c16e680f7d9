#pragma once
// What a batch of a delivery is made from: cards, what was delivered of them, and the notes of the collection.
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "handlers/anki/collection/collection_store.h"
#include "handlers/base/context.h"
#include "handlers/base/job.h"
#include "handlers/decks/cards/card_store.h"
#include "handlers/decks/cards/delivery_store.h"
#include "handlers/decks/catalogue/deck_store.h"
#include "handlers/decks/delivery/delivery_rules.h"

namespace syncline::decks {

struct DeliveredPart {
  std::vector<Card> cards{};                ///< in the order of their arrival
  std::map<std::string, NoteType> types{};  ///< by folded names
  std::vector<DeliveredType> delivered_types{};
  std::map<std::string, DeliveredNote> delivered{};
  std::set<std::string> elsewhere{};  ///< guids that another deck has delivered to the account
  std::map<std::string, std::map<std::string, std::vector<std::string>>> earlier{};
  std::map<std::string, std::vector<std::string>> earlier_paths{}, earlier_tags{};
  anki::Collection head{};
  anki::SmallObjects objects{};
  std::map<std::string, anki::Note> notes{};  ///< by guid; of several the one that an import takes
  std::map<std::int64_t, std::vector<anki::Card>> note_cards{};  ///< by the ids of notes
  bool to_nfc = true;

  const anki::Object* FindNotetype(std::int64_t id) const;
  const NoteType* TypeOf(const Card& card) const;
  /// The note of a card, ready to be merged. `fields`: of its type, and `mine` their texts; the fields and `texts` must outlive
  /// the result.
  NoteMerge MergeOf(const Card& card, const anki::Note& note, const std::vector<std::string>& fields,
                    std::vector<std::string> mine, const ShownCardTexts& texts,
                    const std::vector<std::string>& protected_fields) const;
};

/// None: there is no collection. Throws anki::ImportPutOff while an upload is being imported.
std::optional<DeliveredPart> ReadPart(Context& context, DeckId deck, const std::vector<std::string>& guids);

/// The subscriber may have ended the delivery meanwhile, or begun it again: throws anki::ImportPutOff.
void RequireState(DeliveryStore& deliveries, DeckId deck, DeliveryState state);
/// Of the session of a job (anki::ImportHost::name).
std::string SessionName(const Job& job);

/// The texts of a note, by the order of its fields.
std::vector<std::string> SplitFields(const std::string& joined);

}  // namespace syncline::decks
