#pragma once
// Note types as they are pushed, kept and sent. Anki refuses one without fields, without templates, or whose front side names
// no field, and with it everything that is imported with it; so do we. Pure.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/json_input.h"
#include "handlers/base/json_writer.h"
#include "sql/value.h"

namespace syncline::decks {

inline constexpr std::size_t kMaxNoteTypes = 100, kMaxTemplates = 100;
inline constexpr std::size_t kMaxTemplateCharacters = 200'000;

struct NoteType {
  std::string name{};
  std::vector<std::string> fields{};
  /// {"templates":[{"name","qfmt","afmt"}],"css"?,"type"?}. None: nobody has sent it; it is made up from the fields.
  std::optional<std::string> definition{};
  sql::Time updated_at{};
};

struct CardTemplate {
  std::string name{}, front{}, back{};
};
/// How the cards of a note type look.
struct CardDesign {
  std::vector<CardTemplate> templates{};
  std::string css{};
  bool is_cloze = false;  ///< a card for each number of its deletions, by one template
};
CardDesign DesignOf(const NoteType& type);

/// {"name", "fields" or "flds", "templates" or "tmpls", "css"?, "type"?}; fields are texts or objects with a name.
NoteType ReadNoteType(const JsonObject& in);
/// As an element of a list.
void WriteNoteType(JsonWriter& json, const NoteType& type);

/// Whether a front side shows at least one of the fields. The names of fields are compared exactly, as in Anki.
bool ShowsField(std::string_view front, const std::vector<std::string>& fields);
/// `fields`, and behind them those of `more` that are not there.
std::vector<std::string> Union(std::vector<std::string> fields, const std::vector<std::string>& more);

}  // namespace syncline::decks
