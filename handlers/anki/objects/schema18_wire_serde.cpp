#include "handlers/anki/objects/schema18_wire_serde.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "handlers/base/utf8.h"

namespace syncline::anki::serde {

std::optional<std::int64_t> IntOf(const JsonSpans& json, const Value& value, std::int64_t low,
                                  std::int64_t high) {
  if (value.kind != Kind::kNumber) return std::nullopt;
  const auto number = WholeNumber(json.Raw(value));
  return number && *number >= low && *number <= high ? number : std::nullopt;
}

std::optional<float> FloatOf(const JsonSpans& json, const Value& value) {
  if (value.kind != Kind::kNumber) return std::nullopt;
  // Via double, as serde does.
  return static_cast<float>(std::strtod(std::string(json.Raw(value)).c_str(), nullptr));
}

ObjectReader::ObjectReader(const JsonSpans& json, const Value& object) : json_(json) {
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

const Value* ObjectReader::Take(std::string_view key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  members_[found->second].taken = true;
  return members_[found->second].value;
}

const Value& ObjectReader::Need(std::string_view key) {
  const auto* value = Take(key);
  if (value == nullptr) throw BadObject("key missing: " + std::string(key));
  return *value;
}

std::int64_t ObjectReader::NumberOrText(std::string_view key, Rule rule) {
  return Get<std::int64_t>(key, rule, 0, [&](const Value& value) -> std::optional<std::int64_t> {
    if (value.kind == Kind::kString) {
      auto digits = json_.Text(value);
      if (digits.starts_with('+') && digits.size() > 1 && digits[1] != '-') digits.erase(0, 1);
      return WholeNumber(digits);
    }
    return IntOf(json_, value, kLow<std::int64_t>, kHigh<std::int64_t>);
  });
}

bool ObjectReader::Bool(std::string_view key, Rule rule, bool missing) {
  return Get<bool>(key, rule, missing, [](const Value& value) -> std::optional<bool> {
    if (value.kind != Kind::kTrue && value.kind != Kind::kFalse) return std::nullopt;
    return value.kind == Kind::kTrue;
  });
}

bool ObjectReader::BoolOfAnything(std::string_view key) {
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
      if (text.empty() || text.find_first_not_of("+-.0123456789eE") != std::string::npos) return std::nullopt;
    }
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    if (end != text.c_str() + text.size()) return std::nullopt;
    if (number == 1.0) return true;
    if (number == 0.0) return false;
    return std::nullopt;
  });
}

std::string ObjectReader::Text(std::string_view key, Rule rule) {
  return Get<std::string>(key, rule, {}, [&](const Value& value) -> std::optional<std::string> {
    if (value.kind != Kind::kString) return std::nullopt;
    return json_.Text(value);
  });
}

float ObjectReader::Float(std::string_view key, Rule rule, float missing) {
  return Get<float>(key, rule, missing, [&](const Value& value) { return FloatOf(json_, value); });
}

std::vector<float> ObjectReader::Floats(std::string_view key, Rule rule) {
  return Get<std::vector<float>>(key, rule, {}, [&](const Value& list) -> std::optional<std::vector<float>> {
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

std::vector<const Value*> ObjectReader::Elements(std::string_view key) {
  const auto& list = Need(key);
  if (list.kind != Kind::kArray) throw BadObject("not an array: " + std::string(key));
  std::vector<const Value*> elements;
  json_.EachIn(list, [&](const Value& value) { elements.push_back(&value); });
  return elements;
}

std::vector<std::pair<std::string_view, std::string_view>> ObjectReader::Rest() const {
  std::vector<std::pair<std::string_view, std::string_view>> rest;
  for (const auto& member : members_)
    if (!member.taken) rest.emplace_back(json_.Key(*member.value), json_.Raw(*member.value));
  return rest;
}

namespace {

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

}  // namespace

std::string ObjectWriter::Finish() {
  writer_.EndObject();
  return {buffer_.GetString(), buffer_.GetSize()};
}

void ObjectWriter::Key(std::string_view key) {
  used_.push_back(key);
  writer_.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
}

void ObjectWriter::TextValue(std::string_view text) {
  if (!IsUtf8(text)) throw BadObject("text is not UTF-8");
  writer_.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void ObjectWriter::FloatsValue(const google::protobuf::RepeatedField<float>& floats) {
  writer_.StartArray();
  const bool sane =
      std::all_of(floats.begin(), floats.end(), [](float value) { return std::isfinite(value); });
  if (sane)
    for (const float value : floats) Raw(FloatText(value));
  writer_.EndArray();
}

void ObjectWriter::Int(std::string_view key, std::int64_t value) {
  Key(key);
  writer_.Int64(value);
}

void ObjectWriter::IntOrNull(std::string_view key, std::optional<std::int64_t> value) {
  Key(key);
  value ? writer_.Int64(*value) : writer_.Null();
}

void ObjectWriter::Bool(std::string_view key, bool value) {
  Key(key);
  writer_.Bool(value);
}

void ObjectWriter::Text(std::string_view key, std::string_view value) {
  Key(key);
  TextValue(value);
}

void ObjectWriter::Float(std::string_view key, float value) {
  Key(key);
  Raw(FloatText(value));
}

void ObjectWriter::Floats(std::string_view key, const google::protobuf::RepeatedField<float>& floats) {
  Key(key);
  FloatsValue(floats);
}

void ObjectWriter::Others(std::string_view other, std::initializer_list<std::string_view> reserved) {
  if (other.empty()) return;
  try {
    const JsonSpans json(other, 1);
    if (json.Root().kind != Kind::kObject) return;
    ObjectReader members(json, json.Root());
    for (const auto key : used_) members.Take(key);
    for (const auto key : reserved) members.Take(key);
    for (const auto& [key, raw] : members.Rest()) {
      writer_.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
      Raw(raw);
    }
  } catch (const BadJson&) {
    // Upstream treats damaged bytes as no keys.
  }
}

std::string OtherBytes(const ObjectReader& in) {
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

std::int32_t StrictEnum(ObjectReader& in, std::string_view key, std::int64_t last) {
  const auto* value = in.Take(key);
  if (value == nullptr) return 0;
  const auto number = IntOf(in.Json(), *value, 0, last);
  if (!number) throw BadObject("invalid value: " + std::string(key));
  return static_cast<std::int32_t>(*number);
}

JsonSpans ParseObject(std::string_view json) {
  try {
    return JsonSpans(json);
  } catch (const BadJson& error) {
    throw BadObject(error.what());
  }
}

}  // namespace syncline::anki::serde
