#include "handlers/anki/objects/schema18_wire.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <utf8proc.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <optional>
#include <unordered_map>

#include "handlers/base/json.h"
#include "schema18.pb.h"

namespace syncline::anki {
namespace {

using Kind = JsonSpans::Kind;
using Value = JsonSpans::Value;

// What is done about a key that is missing, or whose value has the wrong type or is out of range.
enum class Rule {
  kStrict,           // missing: refused; invalid: refused
  kLenient,          // missing: refused; invalid: default
  kOptional,         // missing: default; invalid: refused
  kOptionalLenient,  // missing: default; invalid: default
};

bool MayBeMissing(Rule rule) {
  return rule == Rule::kOptional || rule == Rule::kOptionalLenient;
}
bool MayBeInvalid(Rule rule) {
  return rule == Rule::kLenient || rule == Rule::kOptionalLenient;
}

// --- Values of JSON, as serde reads them

std::optional<std::int64_t> IntOf(const JsonSpans& json, const Value& value, std::int64_t low,
                                  std::int64_t high) {
  if (value.kind != Kind::kNumber) return std::nullopt;
  const auto number = WholeNumber(json.Raw(value));
  return number && *number >= low && *number <= high ? number : std::nullopt;
}

std::optional<float> FloatOf(const JsonSpans& json, const Value& value) {
  if (value.kind != Kind::kNumber) return std::nullopt;
  // By way of a double, as serde does it.
  return static_cast<float>(std::strtod(std::string(json.Raw(value)).c_str(), nullptr));
}

template <typename Int>
constexpr std::int64_t kLow = static_cast<std::int64_t>(std::numeric_limits<Int>::min());
template <typename Int>
constexpr std::int64_t kHigh = static_cast<std::int64_t>(std::numeric_limits<Int>::max());

// One JSON object being taken apart key by key. What has not been taken at the end is "other".
class In {
 public:
  In(const JsonSpans& json, const Value& object) : json_(json) {
    if (object.kind != Kind::kObject) throw BadObject("not an object");
    json.EachIn(object, [&](const Value& value) {
      const auto [known, is_new] = index_.try_emplace(json.Key(value), members_.size());
      if (is_new) {
        members_.push_back({&value, false});
      } else {
        members_[known->second].value = &value;
      }
    });
  }

  const JsonSpans& Json() const { return json_; }

  /// The value, now taken; nullptr when there is none.
  const Value* Take(std::string_view key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    members_[found->second].taken = true;
    return members_[found->second].value;
  }
  const Value& Need(std::string_view key) {
    const auto* value = Take(key);
    if (value == nullptr) throw BadObject("key missing: " + std::string(key));
    return *value;
  }

  template <typename Int>
  Int Number(std::string_view key, Rule rule, Int missing = 0) {
    return Get<Int>(key, rule, missing, [&](const Value& value) -> std::optional<Int> {
      const auto number = IntOf(json_, value, kLow<Int>, kHigh<Int>);
      return number ? std::optional(static_cast<Int>(*number)) : std::nullopt;
    });
  }
  /// Null and missing are nothing. Every such key of Anki's tolerates invalid values but one.
  template <typename Int>
  std::optional<Int> NumberOrNull(std::string_view key, Rule rule) {
    const auto* value = Take(key);
    if (value == nullptr && !MayBeMissing(rule)) throw BadObject("key missing: " + std::string(key));
    if (value == nullptr || value->kind == Kind::kNull) return std::nullopt;
    const auto number = IntOf(json_, *value, kLow<Int>, kHigh<Int>);
    if (!number && !MayBeInvalid(rule)) throw BadObject("invalid value: " + std::string(key));
    return number ? std::optional<Int>(static_cast<Int>(*number)) : std::nullopt;
  }
  /// Ids and mod times are numeric strings in old collections.
  std::int64_t NumberOrText(std::string_view key, Rule rule) {
    return Get<std::int64_t>(key, rule, 0, [&](const Value& value) -> std::optional<std::int64_t> {
      if (value.kind == Kind::kString) {
        auto digits = json_.Text(value);
        if (digits.starts_with('+') && digits.size() > 1 && digits[1] != '-') digits.erase(0, 1);
        return WholeNumber(digits);
      }
      return IntOf(json_, value, kLow<std::int64_t>, kHigh<std::int64_t>);
    });
  }
  bool Bool(std::string_view key, Rule rule, bool missing = false) {
    return Get<bool>(key, rule, missing, [](const Value& value) -> std::optional<bool> {
      if (value.kind != Kind::kTrue && value.kind != Kind::kFalse) return std::nullopt;
      return value.kind == Kind::kTrue;
    });
  }
  /// true, 1, 1.0, "true", "1" and their opposites.
  bool BoolOfAnything(std::string_view key) {
    return Get<bool>(key, Rule::kStrict, false, [&](const Value& value) -> std::optional<bool> {
      if (value.kind == Kind::kTrue || value.kind == Kind::kFalse) return value.kind == Kind::kTrue;
      if (value.kind != Kind::kNumber && value.kind != Kind::kString) return std::nullopt;
      std::string text(value.kind == Kind::kString ? json_.Text(value) : json_.Raw(value));
      if (value.kind == Kind::kString) {
        std::string lower = text;
        std::transform(lower.begin(), lower.end(), lower.begin(),
                       [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
        if (lower == "true") return true;
        if (lower == "false") return false;
        if (text.empty() || text.find_first_not_of("+-.0123456789eE") != std::string::npos)
          return std::nullopt;
      }
      char* end = nullptr;
      const double number = std::strtod(text.c_str(), &end);
      if (end != text.c_str() + text.size()) return std::nullopt;
      if (number == 1.0) return true;
      if (number == 0.0) return false;
      return std::nullopt;
    });
  }
  std::string Text(std::string_view key, Rule rule) {
    return Get<std::string>(key, rule, {}, [&](const Value& value) -> std::optional<std::string> {
      if (value.kind != Kind::kString) return std::nullopt;
      return json_.Text(value);
    });
  }
  float Float(std::string_view key, Rule rule, float missing = 0) {
    return Get<float>(key, rule, missing, [&](const Value& value) { return FloatOf(json_, value); });
  }
  std::vector<float> Floats(std::string_view key, Rule rule) {
    return Get<std::vector<float>>(key, rule, {},
                                   [&](const Value& list) -> std::optional<std::vector<float>> {
                                     if (list.kind != Kind::kArray) return std::nullopt;
                                     std::vector<float> floats;
                                     bool valid = true;
                                     json_.EachIn(list, [&](const Value& value) {
                                       const auto number = FloatOf(json_, value);
                                       valid = valid && number;
                                       floats.push_back(number.value_or(0));
                                     });
                                     return valid ? std::optional(floats) : std::nullopt;
                                   });
  }
  /// The elements of an array that must be there.
  std::vector<const Value*> Elements(std::string_view key) {
    const auto& list = Need(key);
    if (list.kind != Kind::kArray) throw BadObject("not an array: " + std::string(key));
    std::vector<const Value*> elements;
    json_.EachIn(list, [&](const Value& value) { elements.push_back(&value); });
    return elements;
  }

  /// The members nobody took, as they were written.
  std::vector<std::pair<std::string_view, std::string_view>> Rest() const {
    std::vector<std::pair<std::string_view, std::string_view>> rest;
    for (const auto& member : members_)
      if (!member.taken) rest.emplace_back(json_.Key(*member.value), json_.Raw(*member.value));
    return rest;
  }

 private:
  template <typename T, typename Convert>
  T Get(std::string_view key, Rule rule, T missing, Convert convert) {
    const auto* value = Take(key);
    if (value == nullptr) {
      if (!MayBeMissing(rule)) throw BadObject("key missing: " + std::string(key));
      return missing;
    }
    std::optional<T> converted = convert(*value);
    if (converted) return *std::move(converted);
    if (!MayBeInvalid(rule)) throw BadObject("invalid value: " + std::string(key));
    return T{};
  }

  struct Member {
    const Value* value;
    bool taken;
  };
  const JsonSpans& json_;
  std::vector<Member> members_;
  std::unordered_map<std::string_view, std::size_t> index_;
};

// --- JSON, as serde writes it

std::string FloatText(float value) {
  if (!std::isfinite(value)) return "0.0";
  char buffer[64];
  const float size = std::fabs(value);
  const bool plain = size == 0 || (size >= 1e-5F && size < 1e16F);
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific)
                       .ptr;
  std::string text(buffer, end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

class Out {
 public:
  std::string Finish() {
    writer_.EndObject();
    return {buffer_.GetString(), buffer_.GetSize()};
  }
  Out() { writer_.StartObject(); }

  auto& Writer() { return writer_; }
  void Key(std::string_view key) {
    used_.push_back(key);
    writer_.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
  }
  void Raw(std::string_view json) { writer_.RawValue(json.data(), json.size(), rapidjson::kObjectType); }
  void TextValue(std::string_view text) {
    if (!IsUtf8(text)) throw BadObject("text is not UTF-8");
    writer_.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  }
  void FloatsValue(const google::protobuf::RepeatedField<float>& floats) {
    writer_.StartArray();
    const bool sane =
        std::all_of(floats.begin(), floats.end(), [](float value) { return std::isfinite(value); });
    if (sane)
      for (const float value : floats) Raw(FloatText(value));
    writer_.EndArray();
  }
  void Int(std::string_view key, std::int64_t value) {
    Key(key);
    writer_.Int64(value);
  }
  void IntOrNull(std::string_view key, std::optional<std::int64_t> value) {
    Key(key);
    value ? writer_.Int64(*value) : writer_.Null();
  }
  void Bool(std::string_view key, bool value) {
    Key(key);
    writer_.Bool(value);
  }
  void Text(std::string_view key, std::string_view value) {
    Key(key);
    TextValue(value);
  }
  void Float(std::string_view key, float value) {
    Key(key);
    Raw(FloatText(value));
  }
  void Floats(std::string_view key, const google::protobuf::RepeatedField<float>& floats) {
    Key(key);
    FloatsValue(floats);
  }
  /// The keys of `other` (see schema18.proto) that are neither written already nor in `reserved`: those have
  /// become fields of the message since some client put them there.
  void Others(std::string_view other, std::initializer_list<std::string_view> reserved = {}) {
    if (other.empty()) return;
    try {
      const JsonSpans json(other, 1);
      if (json.Root().kind != Kind::kObject) return;
      In members(json, json.Root());
      for (const auto key : used_) members.Take(key);
      for (const auto key : reserved) members.Take(key);
      for (const auto& [key, raw] : members.Rest()) {
        writer_.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
        Raw(raw);
      }
    } catch (const BadJson&) {
      // Upstream reads damaged bytes as no keys.
    }
  }

 private:
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
  std::vector<std::string_view> used_;  // always literals
};

// An object of the keys nobody took, for the `other` of a message; empty when there are none.
std::string OtherBytes(const In& in) {
  const auto rest = in.Rest();
  if (rest.empty()) return {};
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.StartObject();
  for (const auto& [key, raw] : rest) {
    writer.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
    writer.RawValue(raw.data(), raw.size(), rapidjson::kObjectType);
  }
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

template <typename Message>
Message Decode(const std::string& bytes, const char* what) {
  Message message;
  if (!message.ParseFromString(bytes)) throw BadObject(std::string("protobuf does not parse: ") + what);
  return message;
}

template <typename Target>
void SetFloats(Target* target, const std::vector<float>& floats) {
  target->Assign(floats.begin(), floats.end());
}

JsonSpans ParseObject(std::string_view json) {
  try {
    return JsonSpans(json);
  } catch (const BadJson& error) {
    throw BadObject(error.what());
  }
}

// --- Notetypes

// A cache of which fields a template needs; anything wrong in it and the whole of it is dropped.
std::vector<schema18::NotetypeConfig::CardRequirement> Requirements(In& in) {
  const auto& json = in.Json();
  const auto* list = in.Take("req");
  std::vector<schema18::NotetypeConfig::CardRequirement> requirements;
  if (list == nullptr || list->kind != Kind::kArray) return requirements;
  bool valid = true;
  json.EachIn(*list, [&](const Value& entry) {
    std::vector<const Value*> parts;
    if (entry.kind == Kind::kArray) json.EachIn(entry, [&](const Value& part) { parts.push_back(&part); });
    if (parts.size() != 3 || parts[1]->kind != Kind::kString || parts[2]->kind != Kind::kArray) {
      valid = false;
      return;
    }
    schema18::NotetypeConfig::CardRequirement requirement;
    const auto ord = IntOf(json, *parts[0], 0, 0xFFFF);
    const auto kind = json.Text(*parts[1]);
    valid = valid && ord && (kind == "none" || kind == "any" || kind == "all");
    requirement.set_card_ord(static_cast<std::uint32_t>(ord.value_or(0)));
    requirement.set_kind(kind == "any" ? 1 : kind == "all" ? 2 : 0);
    json.EachIn(*parts[2], [&](const Value& field) {
      const auto field_ord = IntOf(json, field, 0, 0xFFFF);
      valid = valid && field_ord;
      requirement.add_field_ords(static_cast<std::uint32_t>(field_ord.value_or(0)));
    });
    requirements.push_back(std::move(requirement));
  });
  if (!valid) requirements.clear();
  return requirements;
}

// Fields and templates: what only one of them has is `own`'s business. Their position decides the ord.
template <typename Config, typename Row, typename Own>
Row PartFromJson(const JsonSpans& json, const Value& value, Own own) {
  In in(json, value);
  Row row;
  Config config;
  row.name = in.Text("name", Rule::kStrict);
  in.NumberOrNull<std::uint16_t>("ord", Rule::kOptional);
  own(in, config);
  if (const auto id = in.NumberOrNull<std::int64_t>("id", Rule::kOptionalLenient)) config.set_id(*id);
  config.set_other(OtherBytes(in));
  row.config = config.SerializeAsString();
  return row;
}

FieldRow FieldFromJson(const JsonSpans& json, const Value& value) {
  using Config = schema18::FieldConfig;
  return PartFromJson<Config, FieldRow>(json, value, [](In& in, Config& config) {
    config.set_sticky(in.BoolOfAnything("sticky"));
    config.set_rtl(in.BoolOfAnything("rtl"));
    config.set_font_name(in.Text("font", Rule::kStrict));
    config.set_font_size(in.Number<std::uint16_t>("size", Rule::kStrict));
    config.set_description(in.Text("description", Rule::kOptionalLenient));
    config.set_plain_text(in.Bool("plainText", Rule::kOptionalLenient));
    config.set_collapsed(in.Bool("collapsed", Rule::kOptionalLenient));
    config.set_exclude_from_search(in.Bool("excludeFromSearch", Rule::kOptionalLenient));
    if (const auto tag = in.NumberOrNull<std::uint32_t>("tag", Rule::kOptionalLenient)) config.set_tag(*tag);
    config.set_prevent_deletion(in.Bool("preventDeletion", Rule::kOptionalLenient));
  });
}

TemplateRow TemplateFromJson(const JsonSpans& json, const Value& value) {
  using Config = schema18::TemplateConfig;
  return PartFromJson<Config, TemplateRow>(json, value, [](In& in, Config& config) {
    config.set_question(in.Text("qfmt", Rule::kStrict));
    config.set_answer(in.Text("afmt", Rule::kOptional));
    config.set_browser_question(in.Text("bqfmt", Rule::kOptional));
    config.set_browser_answer(in.Text("bafmt", Rule::kOptional));
    config.set_target_deck_id(in.NumberOrNull<std::int64_t>("did", Rule::kOptionalLenient).value_or(0));
    config.set_browser_font_name(in.Text("bfont", Rule::kOptionalLenient));
    config.set_browser_font_size(in.Number<std::uint8_t>("bsize", Rule::kOptionalLenient));
  });
}

// The same the other way round.
template <typename Config, typename Row, typename Own>
std::string PartToJson(const Row& row, std::size_t ord, const char* what, Own own) {
  const auto config = Decode<Config>(row.config, what);
  Out out;
  out.Text("name", row.name);
  out.Int("ord", static_cast<std::int64_t>(ord));
  own(out, config);
  out.Others(config.other());
  return out.Finish();
}

template <typename Config>
std::optional<std::int64_t> IdOf(const Config& config) {
  return config.has_id() ? std::optional(config.id()) : std::nullopt;
}

std::string FieldToJson(const FieldRow& row, std::size_t ord) {
  using Config = schema18::FieldConfig;
  return PartToJson<Config>(row, ord, "field", [](Out& out, const Config& config) {
    out.Bool("sticky", config.sticky());
    out.Bool("rtl", config.rtl());
    out.Text("font", config.font_name());
    out.Int("size", static_cast<std::uint16_t>(config.font_size()));
    out.Text("description", config.description());
    out.Bool("plainText", config.plain_text());
    out.Bool("collapsed", config.collapsed());
    out.Bool("excludeFromSearch", config.exclude_from_search());
    out.IntOrNull("id", IdOf(config));
    out.IntOrNull("tag", config.has_tag() ? std::optional<std::int64_t>(config.tag()) : std::nullopt);
    out.Bool("preventDeletion", config.prevent_deletion());
  });
}

std::string TemplateToJson(const TemplateRow& row, std::size_t ord) {
  using Config = schema18::TemplateConfig;
  return PartToJson<Config>(row, ord, "template", [](Out& out, const Config& config) {
    out.Text("qfmt", config.question());
    out.Text("afmt", config.answer());
    out.Text("bqfmt", config.browser_question());
    out.Text("bafmt", config.browser_answer());
    out.IntOrNull("did", config.target_deck_id() > 0 ? std::optional(config.target_deck_id()) : std::nullopt);
    out.Text("bfont", config.browser_font_name());
    out.Int("bsize", static_cast<std::uint8_t>(config.browser_font_size()));
    out.IntOrNull("id", IdOf(config));
  });
}

// --- Decks

bool IsWhitespace(std::int32_t c) {
  return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

std::string Nfc(std::string_view text) {
  utf8proc_uint8_t* mapped = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                 static_cast<utf8proc_ssize_t>(text.size()), &mapped,
                                 static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owned(mapped, &std::free);
  if (size < 0) return std::string(text);
  return {reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size)};
}

// Without the white space and colons at both ends, by whole code points.
std::string_view TrimComponent(std::string_view text) {
  const auto trimmed = [](std::int32_t c) { return c == ':' || IsWhitespace(c); };
  while (!text.empty()) {
    utf8proc_int32_t c = 0;
    const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                       static_cast<utf8proc_ssize_t>(text.size()), &c);
    if (size <= 0 || !trimmed(c)) break;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  while (!text.empty()) {
    std::size_t start = text.size() - 1;
    while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
    utf8proc_int32_t c = 0;
    const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + start),
                                       static_cast<utf8proc_ssize_t>(text.size() - start), &c);
    if (size <= 0 || !trimmed(c)) break;
    text.remove_suffix(text.size() - start);
  }
  return text;
}

std::string DeckNameComponent(std::string_view component) {
  std::string name = Nfc(component);
  std::erase_if(name, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  const auto trimmed = TrimComponent(name);
  return trimmed.empty() ? "blank" : std::string(trimmed);
}

// [day, amount]. Whatever is no integer reads as 0, and only the last two elements count.
struct Today {
  std::int32_t day = 0, amount = 0;
};

Today TodayOf(In& in, std::string_view key) {
  const auto& json = in.Json();
  const auto elements = in.Elements(key);
  const auto last = [&](std::size_t back) -> std::int32_t {
    if (elements.size() < back) return 0;
    const auto& value = *elements[elements.size() - back];
    return static_cast<std::int32_t>(IntOf(json, value, kLow<std::int64_t>, kHigh<std::int64_t>).value_or(0));
  };
  return {last(2), last(1)};
}

bool TakeDayLimit(In& in, std::string_view key, schema18::NormalDeck::DayLimit& limit) {
  const auto* value = in.Take(key);
  if (value == nullptr || value->kind != Kind::kObject) return false;
  In members(in.Json(), *value);
  const auto* amount = members.Take("limit");
  const auto* today = members.Take("today");
  if (amount == nullptr || today == nullptr) return false;
  const auto amount_number = IntOf(in.Json(), *amount, 0, kHigh<std::uint32_t>);
  const auto today_number = IntOf(in.Json(), *today, 0, kHigh<std::uint32_t>);
  if (!amount_number || !today_number) return false;
  limit.set_limit(static_cast<std::uint32_t>(*amount_number));
  limit.set_today(static_cast<std::uint32_t>(*today_number));
  return true;
}

void NormalDeckFromJson(In& in, std::string description, bool markdown, schema18::NormalDeck& deck) {
  deck.set_config_id(in.NumberOrText("conf", Rule::kStrict));
  const auto not_negative = [](std::int32_t n) { return static_cast<std::uint32_t>(std::max(n, 0)); };
  deck.set_extend_new(not_negative(in.Number<std::int32_t>("extendNew", Rule::kOptionalLenient)));
  deck.set_extend_review(not_negative(in.Number<std::int32_t>("extendRev", Rule::kOptionalLenient)));
  deck.set_description(std::move(description));
  deck.set_markdown_description(markdown);
  constexpr auto kRule = Rule::kOptionalLenient;
  if (const auto n = in.NumberOrNull<std::uint32_t>("reviewLimit", kRule)) deck.set_review_limit(*n);
  if (const auto n = in.NumberOrNull<std::uint32_t>("newLimit", kRule)) deck.set_new_limit(*n);
  schema18::NormalDeck::DayLimit limit;
  if (TakeDayLimit(in, "reviewLimitToday", limit)) *deck.mutable_review_limit_today() = limit;
  if (TakeDayLimit(in, "newLimitToday", limit)) *deck.mutable_new_limit_today() = limit;
  if (const auto n = in.NumberOrNull<std::uint32_t>("desiredRetention", kRule))
    deck.set_desired_retention(static_cast<float>(*n) / 100.0F);
}

void FilteredDeckFromJson(In& in, schema18::FilteredDeck& deck) {
  const auto& json = in.Json();
  deck.set_reschedule(in.BoolOfAnything("resched"));
  for (const auto* term : in.Elements("terms")) {
    std::vector<const Value*> parts;
    if (term->kind == Kind::kArray) json.EachIn(*term, [&](const Value& part) { parts.push_back(&part); });
    if (parts.size() != 3 || parts[0]->kind != Kind::kString) throw BadObject("invalid value: terms");
    // Old clients wrote the limit as a string.
    auto limit = parts[1]->kind == Kind::kString
                     ? WholeNumber(json.Text(*parts[1]))
                     : IntOf(json, *parts[1], kLow<std::int32_t>, kHigh<std::int32_t>);
    const auto order = IntOf(json, *parts[2], kLow<std::int32_t>, kHigh<std::int32_t>);
    if (!limit || *limit < kLow<std::int32_t> || *limit > kHigh<std::int32_t> || !order)
      throw BadObject("invalid value: terms");
    auto* search = deck.add_search_terms();
    search->set_search(json.Text(*parts[0]));
    search->set_limit(static_cast<std::uint32_t>(std::max<std::int64_t>(*limit, 0)));
    search->set_order(static_cast<std::int32_t>(*order));
  }
  in.Bool("separate", Rule::kOptional);
  SetFloats(deck.mutable_delays(), in.Floats("delays", Rule::kOptionalLenient));
  deck.set_preview_delay(in.Number<std::uint32_t>("previewDelay", Rule::kOptional));
  deck.set_preview_again_secs(in.Number<std::uint32_t>("previewAgainSecs", Rule::kOptional));
  deck.set_preview_hard_secs(in.Number<std::uint32_t>("previewHardSecs", Rule::kOptional));
  deck.set_preview_good_secs(in.Number<std::uint32_t>("previewGoodSecs", Rule::kOptional));
}

// 1 and true are filtered, any other number and false are not; but it must be a byte.
bool IsFiltered(In& in) {
  const auto& dyn = in.Need("dyn");
  if (dyn.kind == Kind::kTrue || dyn.kind == Kind::kFalse) return dyn.kind == Kind::kTrue;
  const auto number = IntOf(in.Json(), dyn, 0, 0xFF);
  if (!number) throw BadObject("invalid value: dyn");
  return *number == 1;
}

void TodayToJson(Out& out, std::string_view key, std::uint32_t day, std::int32_t amount) {
  out.Key(key);
  out.Writer().StartArray();
  out.Writer().Int(static_cast<std::int32_t>(day));
  out.Writer().Int(amount);
  out.Writer().EndArray();
}

void DayLimitToJson(Out& out, std::string_view key, const schema18::NormalDeck::DayLimit* limit) {
  out.Key(key);
  if (limit == nullptr) {
    out.Writer().Null();
    return;
  }
  out.Writer().StartObject();
  out.Writer().Key("limit");
  out.Writer().Uint(limit->limit());
  out.Writer().Key("today");
  out.Writer().Uint(limit->today());
  out.Writer().EndObject();
}

// A float to an unsigned integer of `Int` the way Rust casts: cut off, and held within bounds.
template <typename Int>
Int Truncated(float value) {
  if (!(value > 0)) return 0;
  if (value >= static_cast<float>(std::numeric_limits<Int>::max())) return std::numeric_limits<Int>::max();
  return static_cast<Int>(value);
}

void NormalDeckToJson(Out& out, const schema18::NormalDeck& deck) {
  const auto number = [](bool has, std::int64_t value) { return has ? std::optional(value) : std::nullopt; };
  out.Int("conf", deck.config_id());
  out.Int("extendNew", static_cast<std::int32_t>(deck.extend_new()));
  out.Int("extendRev", static_cast<std::int32_t>(deck.extend_review()));
  out.IntOrNull("reviewLimit", number(deck.has_review_limit(), deck.review_limit()));
  out.IntOrNull("newLimit", number(deck.has_new_limit(), deck.new_limit()));
  DayLimitToJson(out, "reviewLimitToday",
                 deck.has_review_limit_today() ? &deck.review_limit_today() : nullptr);
  DayLimitToJson(out, "newLimitToday", deck.has_new_limit_today() ? &deck.new_limit_today() : nullptr);
  out.IntOrNull("desiredRetention", number(deck.has_desired_retention(),
                                           Truncated<std::uint32_t>(deck.desired_retention() * 100.0F)));
}

void FilteredDeckToJson(Out& out, const schema18::FilteredDeck& deck) {
  out.Bool("resched", deck.reschedule());
  out.Key("terms");
  out.Writer().StartArray();
  for (const auto& term : deck.search_terms()) {
    out.Writer().StartArray();
    out.TextValue(term.search());
    out.Writer().Int(static_cast<std::int32_t>(term.limit()));
    out.Writer().Int(term.order());
    out.Writer().EndArray();
  }
  out.Writer().EndArray();
  out.Bool("separate", true);
  out.Key("delays");
  deck.delays().empty() ? static_cast<void>(out.Writer().Null()) : out.FloatsValue(deck.delays());
  out.Int("previewDelay", deck.preview_delay());
  out.Int("previewAgainSecs", deck.preview_again_secs());
  out.Int("previewHardSecs", deck.preview_hard_secs());
  out.Int("previewGoodSecs", deck.preview_good_secs());
}

// --- Deck configs

// The values that upstream puts where a block of the JSON does not parse, or where a stored number is out of
// bounds.
constexpr std::uint32_t kNewPerDay = 20, kReviewsPerDay = 200, kMaximumInterval = 36500, kLeechThreshold = 8,
                        kAnswerCapSecs = 60, kGraduatingGood = 1, kGraduatingEasy = 4,
                        kMinimumLapseInterval = 1;
constexpr float kInitialEase = 2.5F, kEasyMultiplier = 1.3F, kHardMultiplier = 1.2F, kLapseMultiplier = 0,
                kIntervalMultiplier = 1, kRetention = 0.9F;
constexpr std::int32_t kTagOnly = 1;

// [good, easy] or [good, easy, unused]: AnkiDroid wrote two elements for a while.
std::pair<std::uint16_t, std::uint16_t> GraduatingIntervals(In& in) {
  const auto& json = in.Json();
  const auto& list = in.Need("ints");
  std::vector<std::uint16_t> days;
  bool valid = list.kind == Kind::kArray;
  json.EachIn(list, [&](const Value& value) {
    const auto number = IntOf(json, value, 0, 0xFFFF);
    valid = valid && number;
    days.push_back(static_cast<std::uint16_t>(number.value_or(0)));
  });
  if (!valid || days.size() < 2) return {kGraduatingGood, kGraduatingEasy};
  return {days[0], days[1]};
}

// An enum that is 0 or more by its number; what is not one of them reads as `otherwise`.
std::int32_t LenientEnum(In& in, std::string_view key, std::int64_t last, std::int32_t otherwise) {
  return static_cast<std::int32_t>(IntOf(in.Json(), in.Need(key), 0, last).value_or(otherwise));
}

std::int32_t StrictEnum(In& in, std::string_view key, std::int64_t last) {
  const auto* value = in.Take(key);
  if (value == nullptr) return 0;
  const auto number = IntOf(in.Json(), *value, 0, last);
  if (!number) throw BadObject("invalid value: " + std::string(key));
  return static_cast<std::int32_t>(*number);
}

void NewBlock(In& in, schema18::DeckConfig& config) {
  config.set_bury_new(in.Bool("bury", Rule::kOptional));
  SetFloats(config.mutable_learn_steps(), in.Floats("delays", Rule::kLenient));
  config.set_initial_ease(static_cast<float>(in.Number<std::uint16_t>("initialFactor", Rule::kStrict)) /
                          1000.0F);
  const auto [good, easy] = GraduatingIntervals(in);
  config.set_graduating_interval_good(good);
  config.set_graduating_interval_easy(easy);
  // 0 random, 1 due in JSON; the other way round in protobuf. What is invalid is due.
  config.set_new_insert_order(LenientEnum(in, "order", 1, 1) == 0 ? 1 : 0);
  config.set_new_per_day(in.Number<std::uint32_t>("perDay", Rule::kLenient));
}

void NewDefaults(schema18::DeckConfig& config) {
  config.set_bury_new(false);
  SetFloats(config.mutable_learn_steps(), {1, 10});
  config.set_initial_ease(kInitialEase);
  config.set_graduating_interval_good(kGraduatingGood);
  config.set_graduating_interval_easy(kGraduatingEasy);
  config.set_new_insert_order(0);
  config.set_new_per_day(kNewPerDay);
}

void ReviewBlock(In& in, schema18::DeckConfig& config) {
  config.set_bury_reviews(in.Bool("bury", Rule::kOptional));
  config.set_easy_multiplier(in.Float("ease4", Rule::kStrict));
  config.set_interval_multiplier(in.Float("ivlFct", Rule::kStrict));
  config.set_maximum_interval(in.Number<std::uint32_t>("maxIvl", Rule::kStrict));
  config.set_reviews_per_day(in.Number<std::uint32_t>("perDay", Rule::kLenient));
  config.set_hard_multiplier(in.Float("hardFactor", Rule::kOptional, kHardMultiplier));
}

void ReviewDefaults(schema18::DeckConfig& config) {
  config.set_bury_reviews(false);
  config.set_easy_multiplier(kEasyMultiplier);
  config.set_interval_multiplier(kIntervalMultiplier);
  config.set_maximum_interval(kMaximumInterval);
  config.set_reviews_per_day(kReviewsPerDay);
  config.set_hard_multiplier(kHardMultiplier);
}

void LapseBlock(In& in, schema18::DeckConfig& config) {
  SetFloats(config.mutable_relearn_steps(), in.Floats("delays", Rule::kLenient));
  config.set_leech_action(LenientEnum(in, "leechAction", 1, kTagOnly));
  config.set_leech_threshold(in.Number<std::uint32_t>("leechFails", Rule::kStrict));
  config.set_minimum_lapse_interval(in.Number<std::uint32_t>("minInt", Rule::kStrict));
  config.set_lapse_multiplier(in.Float("mult", Rule::kStrict));
}

void LapseDefaults(schema18::DeckConfig& config) {
  SetFloats(config.mutable_relearn_steps(), {10});
  config.set_leech_action(kTagOnly);
  config.set_leech_threshold(kLeechThreshold);
  config.set_minimum_lapse_interval(kMinimumLapseInterval);
  config.set_lapse_multiplier(kLapseMultiplier);
}

using Block = void (*)(In&, schema18::DeckConfig&);
using BlockDefaults = void (*)(schema18::DeckConfig&);

// Reads one of new, rev, lapse. It must be there; when anything in it does not parse, upstream silently takes
// the defaults for all of it, unknown keys included. Returns those unknown keys.
std::string ReadBlock(In& in, std::string_view key, Block read, BlockDefaults defaults,
                      schema18::DeckConfig& config) {
  const auto& value = in.Need(key);
  try {
    In block(in.Json(), value);
    read(block, config);
    return OtherBytes(block);
  } catch (const BadObject&) {
    defaults(config);
    return {};
  }
}

// The unknown keys of the three blocks live under the block's name among those of the top level.
std::string ConfigOtherBytes(const In& in, const std::string& new_other, const std::string& review_other,
                             const std::string& lapse_other) {
  Out out;
  bool empty = true;
  const auto add = [&](std::string_view key, std::string_view raw) {
    out.Key(key);
    out.Raw(raw);
    empty = false;
  };
  for (const auto& [key, raw] : in.Rest()) add(key, raw);
  if (!new_other.empty()) add("new", new_other);
  if (!review_other.empty()) add("rev", review_other);
  if (!lapse_other.empty()) add("lapse", lapse_other);
  return empty ? std::string() : out.Finish();
}

std::uint32_t Within(std::uint32_t value, std::uint32_t low, std::uint32_t high, std::uint32_t otherwise) {
  return value < low || value > high ? otherwise : value;
}

float Within(float value, float low, float high, float otherwise) {
  return value >= low && value <= high ? value : otherwise;
}

// Zeros and NaN were once saved by the options screen; upstream never shows them to anybody.
void ReplaceImpossibleValues(schema18::DeckConfig& c) {
  c.set_new_per_day(Within(c.new_per_day(), 0, 9999, kNewPerDay));
  c.set_reviews_per_day(Within(c.reviews_per_day(), 0, 9999, kReviewsPerDay));
  c.set_new_per_day_minimum(Within(c.new_per_day_minimum(), 0, 9999, 0));
  c.set_initial_ease(Within(c.initial_ease(), 1.31F, 5.0F, kInitialEase));
  c.set_easy_multiplier(Within(c.easy_multiplier(), 1.0F, 5.0F, kEasyMultiplier));
  c.set_hard_multiplier(Within(c.hard_multiplier(), 0.5F, 1.3F, kHardMultiplier));
  c.set_lapse_multiplier(Within(c.lapse_multiplier(), 0.0F, 1.0F, kLapseMultiplier));
  c.set_interval_multiplier(Within(c.interval_multiplier(), 0.5F, 2.0F, kIntervalMultiplier));
  c.set_maximum_interval(Within(c.maximum_interval(), 1, 36500, kMaximumInterval));
  c.set_minimum_lapse_interval(Within(c.minimum_lapse_interval(), 1, 36500, kMinimumLapseInterval));
  c.set_graduating_interval_good(Within(c.graduating_interval_good(), 1, 36500, kGraduatingGood));
  c.set_graduating_interval_easy(Within(c.graduating_interval_easy(), 1, 36500, kGraduatingEasy));
  c.set_leech_threshold(Within(c.leech_threshold(), 1, 9999, kLeechThreshold));
  c.set_answer_cap_secs(Within(c.answer_cap_secs(), 1, 9999, kAnswerCapSecs));
  c.set_desired_retention(Within(c.desired_retention(), 0.7F, 0.99F, kRetention));
  c.set_historical_retention(Within(c.historical_retention(), 0.7F, 0.97F, kRetention));
}

// The keys that `other` keeps for one of the blocks; empty when there are none.
std::string BlockOther(const std::string& other, std::string_view block) {
  if (other.empty()) return {};
  try {
    const JsonSpans json(other, 1);
    if (json.Root().kind != Kind::kObject) return {};
    const auto* value = In(json, json.Root()).Take(block);
    return value == nullptr ? std::string() : std::string(json.Raw(*value));
  } catch (const BadJson&) {
    return {};
  }
}

std::string NewBlockToJson(const schema18::DeckConfig& c) {
  Out out;
  out.Bool("bury", c.bury_new());
  out.Floats("delays", c.learn_steps());
  out.Int("initialFactor", Truncated<std::uint16_t>(c.initial_ease() * 1000.0F));
  out.Key("ints");
  out.Writer().StartArray();
  out.Writer().Uint(static_cast<std::uint16_t>(c.graduating_interval_good()));
  out.Writer().Uint(static_cast<std::uint16_t>(c.graduating_interval_easy()));
  out.Writer().Uint(0);
  out.Writer().EndArray();
  out.Int("order", c.new_insert_order() == 1 ? 0 : 1);
  out.Int("perDay", c.new_per_day());
  out.Others(BlockOther(c.other(), "new"));
  return out.Finish();
}

std::string ReviewBlockToJson(const schema18::DeckConfig& c) {
  Out out;
  out.Bool("bury", c.bury_reviews());
  out.Float("ease4", c.easy_multiplier());
  out.Float("ivlFct", c.interval_multiplier());
  out.Int("maxIvl", c.maximum_interval());
  out.Int("perDay", c.reviews_per_day());
  out.Float("hardFactor", c.hard_multiplier());
  out.Others(BlockOther(c.other(), "rev"));
  return out.Finish();
}

std::string LapseBlockToJson(const schema18::DeckConfig& c) {
  Out out;
  out.Floats("delays", c.relearn_steps());
  out.Int("leechAction", c.leech_action() == kTagOnly ? 1 : 0);
  out.Int("leechFails", c.leech_threshold());
  out.Int("minInt", c.minimum_lapse_interval());
  out.Float("mult", c.lapse_multiplier());
  out.Others(BlockOther(c.other(), "lapse"));
  return out.Finish();
}

}  // namespace

NotetypeRow NotetypeFromJson(std::string_view text) {
  const auto json = ParseObject(text);
  In in(json, json.Root());
  NotetypeRow row;
  schema18::NotetypeConfig config;
  row.id = in.NumberOrText("id", Rule::kStrict);
  row.name = in.Text("name", Rule::kStrict);
  config.set_kind(in.Need("type").kind == Kind::kNumber ? StrictEnum(in, "type", 1)
                                                        : throw BadObject("type"));
  row.mod = in.Number<std::int64_t>("mod", Rule::kStrict);
  row.usn = in.Number<Usn>("usn", Rule::kStrict);
  config.set_sort_field(in.Number<std::uint16_t>("sortf", Rule::kStrict));
  config.set_target_deck_id(in.NumberOrNull<std::int64_t>("did", Rule::kLenient).value_or(0));
  for (const auto* value : in.Elements("tmpls")) row.templates.push_back(TemplateFromJson(json, *value));
  for (const auto* value : in.Elements("flds")) row.fields.push_back(FieldFromJson(json, *value));
  config.set_css(in.Text("css", Rule::kLenient));
  config.set_latex_pre(in.Text("latexPre", Rule::kOptional));
  config.set_latex_post(in.Text("latexPost", Rule::kOptional));
  config.set_latex_svg(in.Bool("latexsvg", Rule::kOptionalLenient));
  for (auto& requirement : Requirements(in)) *config.add_requirements() = std::move(requirement);
  config.set_original_stock_kind(in.Number<std::int32_t>("originalStockKind", Rule::kOptional));
  if (const auto id = in.NumberOrNull<std::int64_t>("originalId", Rule::kOptional))
    config.set_original_id(*id);
  config.set_other(OtherBytes(in));
  row.config = config.SerializeAsString();
  return row;
}

std::string NotetypeToJson(const NotetypeRow& row) {
  static constexpr const char* kRequirementKinds[] = {"none", "any", "all"};
  const auto config = Decode<schema18::NotetypeConfig>(row.config, "notetype");
  Out out;
  out.Int("id", row.id);
  out.Text("name", row.name);
  out.Int("type", config.kind() == 1 ? 1 : 0);
  out.Int("mod", row.mod);
  out.Int("usn", row.usn);
  out.Int("sortf", static_cast<std::uint16_t>(config.sort_field()));
  out.IntOrNull("did", config.target_deck_id() != 0 ? std::optional(config.target_deck_id()) : std::nullopt);
  out.Key("tmpls");
  out.Writer().StartArray();
  for (std::size_t ord = 0; ord < row.templates.size(); ++ord)
    out.Raw(TemplateToJson(row.templates[ord], ord));
  out.Writer().EndArray();
  out.Key("flds");
  out.Writer().StartArray();
  for (std::size_t ord = 0; ord < row.fields.size(); ++ord) out.Raw(FieldToJson(row.fields[ord], ord));
  out.Writer().EndArray();
  out.Text("css", config.css());
  out.Text("latexPre", config.latex_pre());
  out.Text("latexPost", config.latex_post());
  out.Bool("latexsvg", config.latex_svg());
  out.Key("req");
  out.Writer().StartArray();
  for (const auto& requirement : config.requirements()) {
    const auto kind = requirement.kind() >= 0 && requirement.kind() <= 2 ? requirement.kind() : 0;
    out.Writer().StartArray();
    out.Writer().Uint(static_cast<std::uint16_t>(requirement.card_ord()));
    out.Writer().String(kRequirementKinds[kind]);
    out.Writer().StartArray();
    for (const auto ord : requirement.field_ords()) out.Writer().Uint(static_cast<std::uint16_t>(ord));
    out.Writer().EndArray();
    out.Writer().EndArray();
  }
  out.Writer().EndArray();
  if (config.original_stock_kind() != 0) out.Int("originalStockKind", config.original_stock_kind());
  if (config.has_original_id()) out.Int("originalId", config.original_id());
  out.Others(config.other(), {"originalStockKind", "originalId"});
  return out.Finish();
}

DeckRow DeckFromJson(std::string_view text) {
  const auto json = ParseObject(text);
  In in(json, json.Root());
  DeckRow row;
  schema18::DeckCommon common;
  schema18::DeckKind kind;
  const bool filtered = IsFiltered(in);
  in.Take("return");  // obsolete
  row.id = in.NumberOrText("id", Rule::kStrict);
  row.mod = in.NumberOrText("mod", Rule::kOptional);
  row.name = NativeDeckName(in.Text("name", Rule::kStrict));
  row.usn = in.Number<Usn>("usn", Rule::kStrict);
  const auto learned = TodayOf(in, "lrnToday"), reviewed = TodayOf(in, "revToday"),
             added = TodayOf(in, "newToday"), time = TodayOf(in, "timeToday");
  // The row has one day only, so amounts of an earlier one are dropped. Custom study may touch rev or new
  // alone.
  const auto day = std::max({time.day, added.day, reviewed.day});
  common.set_last_day_studied(static_cast<std::uint32_t>(day));
  common.set_new_studied(added.day == day ? added.amount : 0);
  common.set_review_studied(reviewed.day == day ? reviewed.amount : 0);
  common.set_learning_studied(learned.day == day ? learned.amount : 0);
  common.set_milliseconds_studied(time.amount);
  common.set_study_collapsed(in.Bool("collapsed", Rule::kStrict));
  common.set_browser_collapsed(in.Bool("browserCollapsed", Rule::kOptional));
  auto description = in.Text("desc", Rule::kOptional);
  const bool markdown = in.Bool("md", Rule::kOptional);
  if (filtered) {
    FilteredDeckFromJson(in, *kind.mutable_filtered());
  } else {
    NormalDeckFromJson(in, std::move(description), markdown, *kind.mutable_normal());
  }
  common.set_other(OtherBytes(in));
  row.common = common.SerializeAsString();
  row.kind = kind.SerializeAsString();
  return row;
}

std::string DeckToJson(const DeckRow& row) {
  const auto common = Decode<schema18::DeckCommon>(row.common, "deck");
  const auto kind = Decode<schema18::DeckKind>(row.kind, "deck kind");
  const bool filtered = kind.has_filtered();
  if (!filtered && !kind.has_normal()) throw BadObject("deck without a kind");
  Out out;
  out.Int("id", row.id);
  out.Int("mod", row.mod);
  out.Text("name", HumanDeckName(row.name));
  out.Int("usn", row.usn);
  TodayToJson(out, "lrnToday", common.last_day_studied(), common.learning_studied());
  TodayToJson(out, "revToday", common.last_day_studied(), common.review_studied());
  TodayToJson(out, "newToday", common.last_day_studied(), common.new_studied());
  TodayToJson(out, "timeToday", common.last_day_studied(), common.milliseconds_studied());
  out.Bool("collapsed", common.study_collapsed());
  out.Bool("browserCollapsed", common.browser_collapsed());
  out.Text("desc", filtered ? std::string() : kind.normal().description());
  if (!filtered && kind.normal().markdown_description()) out.Bool("md", true);
  out.Int("dyn", filtered ? 1 : 0);
  filtered ? FilteredDeckToJson(out, kind.filtered()) : NormalDeckToJson(out, kind.normal());
  // What upstream holds back on every deck, whichever kind it is; of its list only "conf" and the like can
  // occur.
  out.Others(common.other(), {"newLimit", "reviewLimit", "reviewLimitToday", "newLimitToday", "extendNew",
                              "extendRev", "conf", "desiredRetention"});
  return out.Finish();
}

DeckConfigRow DeckConfigFromJson(std::string_view text) {
  const auto json = ParseObject(text);
  In in(json, json.Root());
  DeckConfigRow row;
  schema18::DeckConfig c;
  row.id = in.NumberOrText("id", Rule::kStrict);
  row.mod = in.NumberOrText("mod", Rule::kStrict);
  row.name = in.Text("name", Rule::kStrict);
  row.usn = in.Number<Usn>("usn", Rule::kStrict);
  c.set_answer_cap_secs(
      static_cast<std::uint32_t>(std::max(in.Number<std::int32_t>("maxTaken", Rule::kStrict), 0)));
  c.set_disable_autoplay(!in.Bool("autoplay", Rule::kStrict));
  c.set_show_timer(in.Number<std::uint8_t>("timer", Rule::kLenient) != 0);
  c.set_skip_question_in_replay(!in.Bool("replayq", Rule::kOptional));
  const auto new_other = ReadBlock(in, "new", NewBlock, NewDefaults, c);
  const auto review_other = ReadBlock(in, "rev", ReviewBlock, ReviewDefaults, c);
  const auto lapse_other = ReadBlock(in, "lapse", LapseBlock, LapseDefaults, c);
  in.Take("dyn");
  c.set_new_mix(in.Number<std::int32_t>("newMix", Rule::kOptional));
  c.set_new_per_day_minimum(in.Number<std::uint32_t>("newPerDayMinimum", Rule::kOptional));
  c.set_interday_learning_mix(in.Number<std::int32_t>("interdayLearningMix", Rule::kOptional));
  c.set_review_order(in.Number<std::int32_t>("reviewOrder", Rule::kOptional));
  c.set_new_sort_order(in.Number<std::int32_t>("newSortOrder", Rule::kOptional));
  c.set_new_gather_priority(in.Number<std::int32_t>("newGatherPriority", Rule::kOptional));
  c.set_bury_interday_learning(in.Bool("buryInterdayLearning", Rule::kOptional));
  SetFloats(c.mutable_fsrs_params_4(), in.Floats("fsrsWeights", Rule::kOptional));
  SetFloats(c.mutable_fsrs_params_5(), in.Floats("fsrsParams5", Rule::kOptional));
  SetFloats(c.mutable_fsrs_params_6(), in.Floats("fsrsParams6", Rule::kOptional));
  c.set_desired_retention(in.Float("desiredRetention", Rule::kOptional));
  c.set_ignore_reviews_before(in.Text("ignoreRevlogsBeforeDate", Rule::kOptional));
  SetFloats(c.mutable_easy_days_percentages(), in.Floats("easyDaysPercentages", Rule::kOptional));
  c.set_stop_timer_on_answer(in.Bool("stopTimerOnAnswer", Rule::kOptional));
  c.set_seconds_to_show_question(in.Float("secondsToShowQuestion", Rule::kOptional));
  c.set_seconds_to_show_answer(in.Float("secondsToShowAnswer", Rule::kOptional));
  c.set_question_action(StrictEnum(in, "questionAction", 1));
  c.set_answer_action(StrictEnum(in, "answerAction", 4));
  c.set_wait_for_audio(in.Bool("waitForAudio", Rule::kOptional, true));
  c.set_historical_retention(in.Float("sm2Retention", Rule::kOptional));
  c.set_param_search(in.Text("weightSearch", Rule::kOptional));
  c.set_other(ConfigOtherBytes(in, new_other, review_other, lapse_other));
  row.config = c.SerializeAsString();
  return row;
}

std::string DeckConfigToJson(const DeckConfigRow& row) {
  auto c = Decode<schema18::DeckConfig>(row.config, "deck config");
  ReplaceImpossibleValues(c);
  Out out;
  out.Int("id", row.id);
  out.Int("mod", row.mod);
  out.Text("name", row.name);
  out.Int("usn", row.usn);
  out.Int("maxTaken", c.answer_cap_secs());
  out.Bool("autoplay", !c.disable_autoplay());
  out.Int("timer", c.show_timer() ? 1 : 0);
  out.Bool("replayq", !c.skip_question_in_replay());
  out.Key("new");
  out.Raw(NewBlockToJson(c));
  out.Key("rev");
  out.Raw(ReviewBlockToJson(c));
  out.Key("lapse");
  out.Raw(LapseBlockToJson(c));
  out.Bool("dyn", false);
  out.Int("newMix", c.new_mix());
  out.Int("newPerDayMinimum", c.new_per_day_minimum());
  out.Int("interdayLearningMix", c.interday_learning_mix());
  out.Int("reviewOrder", c.review_order());
  out.Int("newSortOrder", c.new_sort_order());
  out.Int("newGatherPriority", c.new_gather_priority());
  out.Bool("buryInterdayLearning", c.bury_interday_learning());
  out.Floats("fsrsWeights", c.fsrs_params_4());
  out.Floats("fsrsParams5", c.fsrs_params_5());
  out.Floats("fsrsParams6", c.fsrs_params_6());
  out.Float("desiredRetention", c.desired_retention());
  out.Text("ignoreRevlogsBeforeDate", c.ignore_reviews_before());
  out.Floats("easyDaysPercentages", c.easy_days_percentages());
  out.Bool("stopTimerOnAnswer", c.stop_timer_on_answer());
  out.Float("secondsToShowQuestion", c.seconds_to_show_question());
  out.Float("secondsToShowAnswer", c.seconds_to_show_answer());
  out.Int("questionAction", c.question_action() == 1 ? 1 : 0);
  out.Int("answerAction", c.answer_action() >= 1 && c.answer_action() <= 4 ? c.answer_action() : 0);
  out.Bool("waitForAudio", c.wait_for_audio());
  out.Float("sm2Retention", c.historical_retention());
  out.Text("weightSearch", c.param_search());
  out.Others(c.other());
  return out.Finish();
}

void UpgradeDeckConfigFromSchema15(DeckConfigRow& row) {
  auto config = Decode<schema18::DeckConfig>(row.config, "deck config");
  config.set_initial_ease(config.initial_ease() / 100.0F);
  if (config.initial_ease() <= 1.3F) config.set_initial_ease(kInitialEase);
  row.config = config.SerializeAsString();
}

void DowngradeDeckConfigToSchema15(DeckConfigRow& row) {
  auto config = Decode<schema18::DeckConfig>(row.config, "deck config");
  config.set_initial_ease(config.initial_ease() * 100.0F);
  row.config = config.SerializeAsString();
}

std::uint32_t SortField(const NotetypeRow& row) {
  return Decode<schema18::NotetypeConfig>(row.config, "notetype").sort_field();
}

std::string NativeDeckName(std::string_view name) {
  std::string native;
  for (;;) {
    const auto separator = name.find("::");
    native += DeckNameComponent(name.substr(0, separator));
    if (separator == std::string_view::npos) return native;
    native += '\x1f';
    name.remove_prefix(separator + 2);
  }
}

std::string HumanDeckName(std::string_view native_name) {
  std::string name;
  for (const char c : native_name) {
    if (c == '\x1f') {
      name += "::";
    } else {
      name += c;
    }
  }
  return name;
}

}  // namespace syncline::anki
