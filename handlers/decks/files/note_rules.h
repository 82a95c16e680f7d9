#pragma once
// Which cards Anki makes of a note: one for each template whose front shows a field that is not empty, or, of a cloze type, one
// for each number of its deletions. A note always has a card. Pure.
#include <cstdint>
#include <string>
#include <vector>

#include "handlers/decks/cards/note_type_wire.h"

namespace syncline::decks {

struct NoteField {
  std::string name{}, text{};
};

/// The texts as a row of a note has them.
std::string JoinedFields(const std::vector<NoteField>& fields);

/// Tags, joined, as a row of a note has them: with a blank before the first and after the last.
std::string TagsOfNote(const std::string& joined);

/// Indexes of templates, or numbers of deletions less one, ascending.
std::vector<std::int32_t> CardsOf(const CardDesign& design, const std::vector<NoteField>& fields);

}  // namespace syncline::decks
