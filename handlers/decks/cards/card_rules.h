#pragma once
// What a pushed card changes of a stored one, and which of two edits of a field wins. Pure.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/decks/cards/card_wire.h"

namespace syncline::decks {

struct FieldChange {
  std::string name{};
  std::string old_json{};  ///< "\"\"" for a new field
};

/// Nothing in it: the cards are equal.
struct CardChange {
  CardContent next{};
  std::vector<FieldChange> fields{};  ///< with another value than before; removed ones too
  std::optional<std::string> old_tags{}, old_type{}, old_path{};  ///< none: as before
  bool IsEmpty() const { return fields.empty() && !old_tags && !old_type && !old_path; }
};

/// The fields that differ, in the order of `after`; then those that it does not have.
std::vector<FieldChange> CompareFields(const Fields& before, const Fields& after);

/// The fields of `pushed` replace those of the card; tags and path only if it has them. Another order of the same fields is no
/// change: builds of the add-on differ in it.
CardChange Compare(const CardContent& stored, const PushedCard& pushed);
/// The content of a card that was not there.
CardContent ContentOf(const PushedCard& pushed);

/// Anki names a copy of a note type "Basic-1a2b3": the name without that, or the name itself.
std::string_view OriginalName(std::string_view note_type);

/// The outcome of an edit of one field, made by somebody who saw `base`, for a card that has `present` now.
enum class Merge {
  kApply,     ///< nobody else has changed it
  kSame,      ///< it has this value already
  kConflict,  ///< somebody else has changed it to something else
};
/// `base`: none if the editor does not say what they saw.
Merge MergeField(const std::optional<std::string>& base, std::string_view present, std::string_view edited);

}  // namespace syncline::decks
