#pragma once
// What a batch of a delivery is made from: cards, what was delivered of them, and the notes of the collection.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "handlers/anki/collection/collection_store.h"
#include "handlers/base/context.h"
#include "handlers/decks/cards/card_store.h"
#include "handlers/decks/cards/delivery_store.h"
#include "handlers/decks/catalogue/deck_store.h"
#include "handlers/decks/delivery/delivery_rules.h"

namespace syncline::decks {

struct DeliveredPart {
  std::vector<Card> cards{};                ///< in the order of their arrival
  std::map<std::string, NoteType> types{};  ///< by folded names
  std::map<std::string, DeliveredNote> delivered{};
  std::map<std::string, std::map<std::string, std::vector<std::string>>> earlier{};
  anki::Collection head{};
  anki::SmallObjects objects{};
  std::map<std::string, anki::Note> notes{};  ///< by guid; of several the one that an import takes
  bool to_nfc = true;

  const anki::Object* FindNotetype(std::int64_t id) const;
  const NoteType* TypeOf(const Card& card) const;
  /// The note of a card, ready to be merged. `fields`: of its type; both must outlive the result.
  NoteMerge MergeOf(const Card& card, const anki::Note& note, const std::vector<std::string>& fields,
                    const ShownCardTexts& texts, const std::vector<std::string>& protected_fields) const;
};

/// None: there is no collection. Throws anki::ImportPutOff while an upload is being imported.
std::optional<DeliveredPart> ReadPart(Context& context, DeckId deck, const std::vector<std::string>& guids);

/// The texts of a note, by the order of its fields.
std::vector<std::string> SplitFields(const std::string& joined);

}  // namespace syncline::decks
