#include "handlers/decks/cards/card_rules.h"

#include <algorithm>
#include <cctype>

namespace syncline::decks {

std::vector<FieldChange> CompareFields(const Fields& before, const Fields& after) {
  std::vector<FieldChange> changes;
  for (const FieldValue& field : after) {
    const FieldValue* old = FindField(before, field.name);
    if (old == nullptr || old->json != field.json)
      changes.push_back({field.name, old == nullptr ? std::string(kEmptyText) : old->json});
  }
  for (const FieldValue& field : before) {
    if (FindField(after, field.name) == nullptr) changes.push_back({field.name, field.json});
  }
  return changes;
}

CardChange Compare(const CardContent& stored, const PushedCard& pushed) {
  CardChange change{stored, CompareFields(ParseFields(stored.fields), pushed.fields), std::nullopt,
                    std::nullopt, std::nullopt};
  if (!change.fields.empty()) change.next.fields = PrintFields(pushed.fields);
  if (pushed.note_type != stored.note_type) {
    change.old_type = stored.note_type;
    change.next.note_type = pushed.note_type;
  }
  if (pushed.tags && *pushed.tags != stored.tags) {
    change.old_tags = stored.tags;
    change.next.tags = *pushed.tags;
  }
  if (pushed.subdeck_path && *pushed.subdeck_path != stored.subdeck_path) {
    change.old_path = stored.subdeck_path;
    change.next.subdeck_path = *pushed.subdeck_path;
  }
  return change;
}

CardContent ContentOf(const PushedCard& pushed) {
  return {pushed.note_type, PrintFields(pushed.fields), pushed.tags.value_or(""),
          pushed.subdeck_path.value_or("")};
}

std::string_view OriginalName(std::string_view note_type) {
  constexpr std::size_t kDigits = 5;
  if (note_type.size() < kDigits + 2 || note_type[note_type.size() - kDigits - 1] != '-') return note_type;
  const std::string_view digits = note_type.substr(note_type.size() - kDigits);
  const bool is_copy =
      std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
  return is_copy ? note_type.substr(0, note_type.size() - kDigits - 1) : note_type;
}

Merge MergeField(const std::optional<std::string>& base, std::string_view present, std::string_view edited) {
  if (edited == present) return Merge::kSame;
  return !base || *base == present ? Merge::kApply : Merge::kConflict;
}

}  // namespace syncline::decks
