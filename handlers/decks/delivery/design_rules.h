#pragma once
// What becomes of a note type in a subscriber's collection when its publisher has changed it.
//
// A normal sync carries everything but another number of fields or templates: clients ask for a full sync then. So texts of
// templates and css are changed in place, where nobody but the publisher has changed them. A field or template more makes a new
// note type, with all that the old one has, in its order, and the new ones behind; the notes move there (a note's type is part of
// its row, and cards keep their places). Nothing is taken away or put into another order. A type whose fields or templates the
// subscriber has changed gets none. Pure.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "handlers/anki/objects/rows_wire.h"
#include "handlers/decks/cards/delivery_store.h"
#include "handlers/decks/cards/note_type_wire.h"
#include "handlers/decks/catalogue/deck_store.h"
#include "handlers/decks/delivery/delivery_rules.h"

namespace syncline::decks {

enum class DesignFate {
  kSame,      ///< as the collection has it
  kNew,       ///< the collection has none
  kInPlace,   ///< texts change
  kExtended,  ///< a new type takes its place
  /// Texts change, but later: the type was changed in this second. A time of modification never runs ahead of the clock, because
  /// then a device's later change would lose.
  kTooEarly
};

/// What notes of a note type of the deck get.
struct PlannedType {
  DesignFate fate{};
  anki::Object target{};
  OwnType shape{};                      ///< of it
  std::vector<std::int64_t> earlier{};  ///< ids of types that it has taken the place of
  DeliveredType row{};                  ///< to be saved once notes have it
  bool has_news = false;                ///< the row differs from what is saved
};

struct TypeInput {
  const Deck& deck;
  const NoteType& type;
  const std::vector<DeliveredType>& delivered;  ///< of the deck, by step
  const std::vector<anki::Object>& notetypes;   ///< of the collection
  std::int64_t now_s = 0;
};
/// Throws BadJson.
PlannedType PlanType(const TypeInput& in);

/// Whether a note, and its cards, may become one of the other type.
bool CanBecome(const OwnType& from, const OwnType& to);

/// Over all that PlanType looks at.
std::string HashOf(const std::vector<NoteType>& types);

}  // namespace syncline::decks
