#include "handlers/decks/cards/card_wire.h"

#include <algorithm>

#include "handlers/base/json.h"
#include "handlers/base/sha256.h"
#include "handlers/base/timestamp.h"
#include "handlers/base/utf8.h"
#include "handlers/decks/dialect/tag_rules.h"

namespace syncline::decks {
namespace {

constexpr std::string_view kNotText = "Field values must be text";
constexpr std::string_view kTooLong = "The fields of a card have at most 1 MiB";

bool HasControls(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::string ReadName(const JsonValue& value) {
  std::string name = value.Text(kMaxNameCharacters, 1);
  if (HasControls(name)) value.Refuse("value_error", "A name has no control characters");
  return name;
}

bool IsScalar(std::string_view raw) {
  return !raw.starts_with('{') && !raw.starts_with('[');
}

// A JSON string of a scalar.
std::string FieldText(std::string_view raw) {
  if (raw.empty() || raw == "null") return std::string(kEmptyText);
  if (raw.front() != '"') return QuoteJson(raw);
  const JsonSpans spans(raw, /*record_depth=*/0);
  return QuoteJson(spans.Text(spans.Root()));
}

// Null: no such field. `fields`: may be const.
auto* FieldIn(auto& fields, std::string_view name) {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const FieldValue& field) { return field.name == name; });
  return found == fields.end() ? nullptr : &*found;
}

Fields ReadFields(const JsonValue& value) {
  Fields fields;
  const auto members = value.Object().Members();
  if (members.size() > kMaxFields) {
    value.Refuse("too_long", "A card has at most 200 fields");
    return fields;
  }
  for (const auto& [name, member] : members) {
    const bool is_name = !name.empty() && !HasControls(name) && CountCharacters(name) <= kMaxNameCharacters;
    if (!is_name)
      value.Refuse("value_error", "Names of fields have 1 to 200 characters, and no control characters");
    // The place of a problem in a value would show the field's name, which may have a word that misleads clients.
    if (!IsScalar(member.Raw())) {
      value.Refuse("string_type", std::string(kNotText));
      return fields;
    }
    fields.push_back({std::string(name), FieldText(member.Raw())});
  }
  if (IsTooLarge(fields)) value.Refuse("string_too_long", std::string(kTooLong));
  if (IsBlank(fields)) value.Refuse("value_error", "At least one field must have a text");
  return fields;
}

// Of several members with one key the last counts, at the place of the first, as in Python.
Fields WithoutRepeats(Fields fields) {
  Fields kept;
  for (FieldValue& field : fields) {
    if (FieldValue* same = FieldIn(kept, field.name)) {
      same->json = std::move(field.json);
    } else {
      kept.push_back(std::move(field));
    }
  }
  return kept;
}

void AppendPart(std::string& bytes, std::string_view part) {
  bytes += std::to_string(part.size());
  bytes += ':';
  bytes += part;
}

}  // namespace

std::string ReadGuid(const JsonObject& in) {
  const auto other = in.Find("guid");
  const JsonValue value = other && !in.Find("card_guid") ? *other : in["card_guid"];
  std::string guid = value.Text(kMaxGuidCharacters, 1);
  if (HasControls(guid) || guid.find('\\') != guid.npos)
    value.Refuse("value_error", "A guid has no backslash and no control characters");
  return guid;
}

std::string ReadTags(const JsonValue& value) {
  const auto tags = value.List(kMaxTags, [](const JsonValue& tag) {
    std::string text = tag.Text(kMaxTagCharacters);
    if (!IsTag(text)) tag.Refuse("value_error", "A tag has no blanks");
    return text;
  });
  return JoinedTags(tags);
}

std::string ReadFieldValue(const JsonValue& value) {
  if (!IsScalar(value.Raw())) {
    value.Refuse("string_type", std::string(kNotText));
    return std::string(kEmptyText);
  }
  std::string json = FieldText(value.Raw());
  if (json.size() <= kMaxCardBytes) return json;
  value.Refuse("string_too_long", std::string(kTooLong));
  return std::string(kEmptyText);
}

PushedCard ReadPushedCard(const JsonObject& in) {
  PushedCard card;
  card.guid = ReadGuid(in);
  const auto note_type = in.Find("note_type");
  card.note_type = note_type && !note_type->IsNull() ? ReadName(*note_type) : "Basic";
  card.fields = WithoutRepeats(ReadFields(in["fields"]));
  if (const auto tags = in.Find("tags"); tags && !tags->IsNull()) card.tags = ReadTags(*tags);
  for (const char* const name : {"deck_path", "subdeck_path"}) {
    if (auto path = in.Maybe(name).Text(kMaxPathCharacters)) card.subdeck_path = std::move(path);
  }
  return card;
}

std::string PrintFields(const Fields& fields) {
  JsonWriter json;
  json.Object();
  for (const FieldValue& field : fields) json.Add(field.name, RawJson{field.json});
  return json.Finish();
}

Fields ParseFields(std::string_view json) {
  const JsonSpans spans(json, /*record_depth=*/1);
  Fields fields;
  spans.EachIn(spans.Root(), [&](const JsonSpans::Value& member) {
    fields.push_back({std::string(spans.Key(member)), std::string(spans.Raw(member))});
  });
  return fields;
}

const FieldValue* FindField(const Fields& fields, std::string_view name) {
  return FieldIn(fields, name);
}

FieldValue* FindField(Fields& fields, std::string_view name) {
  return FieldIn(fields, name);
}

bool IsTooLarge(const Fields& fields) {
  std::size_t bytes = 0;
  for (const FieldValue& field : fields) bytes += field.json.size();
  return bytes > kMaxCardBytes;
}

bool IsBlank(const Fields& fields) {
  return std::all_of(fields.begin(), fields.end(),
                     [](const FieldValue& field) { return field.json == kEmptyText; });
}

std::int64_t FirstKey(std::string_view note_type, const Fields& fields) {
  if (fields.empty() || fields.front().json == kEmptyText) return 0;
  const std::string hash = Sha256(Folded(note_type) + "\n" + fields.front().json);
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < sizeof(key); ++i) key = key << 8 | static_cast<unsigned char>(hash[i]);
  return static_cast<std::int64_t>(key);
}

std::string HashOfCard(std::string_view guid, const CardContent& content) {
  std::string bytes;
  for (const std::string_view part :
       {guid, std::string_view(content.note_type), std::string_view(content.fields),
        std::string_view(content.tags), std::string_view(content.subdeck_path)}) {
    AppendPart(bytes, part);
  }
  return Sha256(bytes);
}

std::string AddHash(std::string sum, std::string_view hash) {
  unsigned carry = 0;
  for (std::size_t i = kHashBytes; i-- > 0;) {
    carry += static_cast<unsigned char>(sum[i]) + static_cast<unsigned>(static_cast<unsigned char>(hash[i]));
    sum[i] = static_cast<char>(carry & 0xff);
    carry >>= 8;
  }
  return sum;
}

std::string TakeHash(std::string sum, std::string_view hash) {
  int borrow = 0;
  for (std::size_t i = kHashBytes; i-- > 0;) {
    int difference = static_cast<unsigned char>(sum[i]) - static_cast<unsigned char>(hash[i]) - borrow;
    borrow = difference < 0 ? 1 : 0;
    if (difference < 0) difference += 256;
    sum[i] = static_cast<char>(difference);
  }
  return sum;
}

std::string FullPath(std::string_view path, std::string_view title) {
  std::string full(title);
  if (path.empty() || path == title) return full;
  if (path.starts_with(full + "::")) return std::string(path);
  return full.append("::").append(path);
}

void WriteCard(JsonWriter& json, const ShownCard& card, std::string_view title) {
  json.Object()
      .Add("guid", card.guid)
      .Add("card_guid", card.guid)
      .Add("note_type", card.content.note_type)
      .Add("fields", RawJson{card.content.fields})
      .Add("tags", SplitTags(card.content.tags))
      .Add("subdeck_path", FullPath(card.content.subdeck_path, title))
      .Add("updated_at", PrintTimestamp(card.updated_at))
      .End();
}

}  // namespace syncline::decks
