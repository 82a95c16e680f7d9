#pragma once
// Note types, decks and texts of a shared deck as objects of an Anki collection. Pure.
#include <cstdint>
#include <string>
#include <string_view>

#include "handlers/anki/objects/rows_wire.h"
#include "handlers/decks/cards/note_type_wire.h"
#include "handlers/decks/catalogue/deck_store.h"

namespace syncline::decks {

/// An id that the same object gets in every package, so that an import finds it again, whatever its name is by then.
std::int64_t StableId(std::string_view kind, const Deck& deck, std::string_view name);
anki::Object NotetypeOf(std::int64_t id, const NoteType& type, const CardDesign& design);
/// `mod`: seconds.
anki::Object AnkiDeck(std::int64_t id, const std::string& name, std::int64_t mod);
/// The text of a JSON string that a client keeps: none of them holds a NUL, and a separator would be a field more.
std::string PlainText(const std::string& json);

}  // namespace syncline::decks
