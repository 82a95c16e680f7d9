#pragma once
// A card, which is what this protocol calls a note of Anki, as it arrives, is kept and is sent. Pure.
//
// Values of fields stay what they were, byte for byte. They are kept as JSON strings in one spelling (QuoteJson), so that equal
// values are equal texts, and an object of them in the order of their arrival, which is the order of the note type's fields.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "handlers/base/json_input.h"
#include "handlers/base/json_writer.h"
#include "handlers/decks/dialect/version_rules.h"
#include "sql/value.h"

namespace syncline::decks {

inline constexpr std::size_t kMaxGuidCharacters = 255;
inline constexpr std::size_t kMaxNameCharacters = 200;  ///< of note types and their fields
inline constexpr std::size_t kMaxFields = 200;
inline constexpr std::size_t kMaxPathCharacters = 1000;
/// Of the values of a card together, as they are kept. Pages of cards are held in memory.
inline constexpr std::size_t kMaxCardBytes = 1 << 20;

/// The value of a field without a text.
inline constexpr std::string_view kEmptyText = "\"\"";
/// Of HashOfCard.
inline constexpr std::size_t kHashBytes = 32;

/// Keeps the last of several elements with one guid, at the place of the first.
template <typename Element>
void DropRepeats(std::vector<Element>& elements) {
  std::unordered_map<std::string, std::size_t> places;
  std::vector<Element> kept;
  for (Element& one : elements) {
    const auto [at, is_new] = places.emplace(one.guid, kept.size());
    if (is_new) {
      kept.push_back(std::move(one));
    } else {
      kept[at->second] = std::move(one);
    }
  }
  elements = std::move(kept);
}

struct FieldValue {
  std::string name{};
  std::string json{};  ///< a JSON string
  bool operator==(const FieldValue&) const = default;
};
using Fields = std::vector<FieldValue>;

/// A card in a request. No tags or path: as they are.
struct PushedCard {
  std::string guid{};
  std::string note_type{};
  Fields fields{};
  std::optional<std::string> tags{};  ///< joined
  std::optional<std::string> subdeck_path{};
};

/// What of a card counts as its content.
struct CardContent {
  std::string note_type{};
  std::string fields{};  ///< a JSON object
  std::string tags{};    ///< joined
  std::string subdeck_path{};
  bool operator==(const CardContent&) const = default;
};

/// {"card_guid" or "guid", "note_type"?, "fields", "tags"?, "subdeck_path" or "deck_path"?}
PushedCard ReadPushedCard(const JsonObject& in);
/// The member `card_guid`, or `guid`: characters of Anki's guids and others, but no control characters, and no backslash, at
/// which the add-on's search for the note fails and with it the whole installation.
std::string ReadGuid(const JsonObject& in);
/// A list of tags, joined.
std::string ReadTags(const JsonValue& value);
/// A text; a number or boolean as its text, null as "". As a JSON string. Reports "string_type" for a list or an object, and
/// "string_too_long" for more than kMaxCardBytes; then "".
std::string ReadFieldValue(const JsonValue& value);

std::string PrintFields(const Fields& fields);
/// Of what PrintFields has printed.
Fields ParseFields(std::string_view json);
/// Null: no such field.
const FieldValue* FindField(const Fields& fields, std::string_view name);
FieldValue* FindField(Fields& fields, std::string_view name);
/// Whether the values have more than kMaxCardBytes.
bool IsTooLarge(const Fields& fields);
/// Whether all values are empty texts.
bool IsBlank(const Fields& fields);

/// Of the note type and the first field, by which Anki tells notes apart. 0: the field is empty, or there is none.
std::int64_t FirstKey(std::string_view note_type, const Fields& fields);

/// kHashBytes over the guid and the content.
std::string HashOfCard(std::string_view guid, const CardContent& content);
/// Of all cards of a deck, in any order: the sum of their hashes. Adds and takes away one.
std::string AddHash(std::string sum, std::string_view hash);
std::string TakeHash(std::string sum, std::string_view hash);

/// A card as it is sent.
struct ShownCard {
  std::string_view guid{};
  CardContent content{};
  sql::Time updated_at{};
};
/// Under both spellings of its members. The full path begins with the deck's title.
void WriteCard(JsonWriter& json, const ShownCard& card, std::string_view title);
std::string FullPath(std::string_view path, std::string_view title);

}  // namespace syncline::decks
