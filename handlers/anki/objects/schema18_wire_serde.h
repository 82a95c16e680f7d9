#pragma once
// Reads and writes JSON objects as serde, upstream's library, does: which keys may be missing, which values
// may be invalid, how a float is spelled. Only the schema18_wire converters use it.
#include <google/protobuf/repeated_field.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "handlers/anki/objects/schema18_wire.h"
#include "handlers/base/json.h"

namespace syncline::anki::serde {

using Kind = JsonSpans::Kind;
using Value = JsonSpans::Value;

/// What happens if a key is missing, or its value is invalid (wrong type or out of range). Refused: throws
/// BadObject.
enum class Rule {
  kStrict,           ///< missing: refused; invalid: refused
  kLenient,          ///< missing: refused; invalid: default
  kOptional,         ///< missing: default; invalid: refused
  kOptionalLenient,  ///< missing: default; invalid: default
};

inline bool MayBeMissing(Rule rule) {
  return rule == Rule::kOptional || rule == Rule::kOptionalLenient;
}
inline bool MayBeInvalid(Rule rule) {
  return rule == Rule::kLenient || rule == Rule::kOptionalLenient;
}

/// The value if it is an integer from `low` to `high`, else nothing.
std::optional<std::int64_t> IntOf(const JsonSpans& json, const Value& value, std::int64_t low,
                                  std::int64_t high);
std::optional<float> FloatOf(const JsonSpans& json, const Value& value);

template <typename Int>
constexpr std::int64_t kLow = static_cast<std::int64_t>(std::numeric_limits<Int>::min());
template <typename Int>
constexpr std::int64_t kHigh = static_cast<std::int64_t>(std::numeric_limits<Int>::max());

/// Reads one JSON object key by key. Members that are never taken are its "other" keys.
class ObjectReader {
 public:
  ObjectReader(const JsonSpans& json, const Value& object);
  const JsonSpans& Json() const { return json_; }

  /// Takes and returns the value; nullptr if there is none.
  const Value* Take(std::string_view key);
  const Value& Need(std::string_view key);

  template <typename Int>
  Int Number(std::string_view key, Rule rule, Int missing = 0) {
    return Get<Int>(key, rule, missing, [&](const Value& value) -> std::optional<Int> {
      const auto number = IntOf(json_, value, kLow<Int>, kHigh<Int>);
      return number ? std::optional(static_cast<Int>(*number)) : std::nullopt;
    });
  }
  /// Nothing for null, for a missing key if it may be missing, and for an invalid value if it may be invalid.
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
  std::int64_t NumberOrText(std::string_view key, Rule rule);
  bool Bool(std::string_view key, Rule rule, bool missing = false);
  /// Accepts true, 1, 1.0, "true", "1" and their opposites.
  bool BoolOfAnything(std::string_view key);
  std::string Text(std::string_view key, Rule rule);
  float Float(std::string_view key, Rule rule, float missing = 0);
  std::vector<float> Floats(std::string_view key, Rule rule);
  /// The elements of a required array.
  std::vector<const Value*> Elements(std::string_view key);
  /// Key and raw JSON of the members that were not taken.
  std::vector<std::pair<std::string_view, std::string_view>> Rest() const;

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

/// Writes one JSON object. Throws BadObject for text that is not UTF-8.
class ObjectWriter {
 public:
  ObjectWriter() { writer_.StartObject(); }
  std::string Finish();

  auto& Writer() { return writer_; }
  /// `key` must outlive the writer.
  void Key(std::string_view key);
  void Raw(std::string_view json) { writer_.RawValue(json.data(), json.size(), rapidjson::kObjectType); }
  void TextValue(std::string_view text);
  void FloatsValue(const google::protobuf::RepeatedField<float>& floats);
  void Int(std::string_view key, std::int64_t value);
  void IntOrNull(std::string_view key, std::optional<std::int64_t> value);
  void Bool(std::string_view key, bool value);
  void Text(std::string_view key, std::string_view value);
  void Float(std::string_view key, float value);
  void Floats(std::string_view key, const google::protobuf::RepeatedField<float>& floats);
  /// Writes the keys of `other` (see schema18.proto), except those already written and those in `reserved`.
  /// Clients stored these as unknown keys before they became fields of the message.
  void Others(std::string_view other, std::initializer_list<std::string_view> reserved = {});

 private:
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
  std::vector<std::string_view> used_;
};

/// A JSON object of the members that were not taken, for the `other` of a message; empty if there are none.
std::string OtherBytes(const ObjectReader& in);

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

/// An enum by its number, 0 to `last`; 0 if the key is missing. Throws BadObject for anything else.
std::int32_t StrictEnum(ObjectReader& in, std::string_view key, std::int64_t last);

/// Converts a float to the unsigned type `Int` as Rust casts: truncated, and clamped to its range.
template <typename Int>
Int Truncated(float value) {
  if (!(value > 0)) return 0;
  if (value >= static_cast<float>(std::numeric_limits<Int>::max())) return std::numeric_limits<Int>::max();
  return static_cast<Int>(value);
}

/// Throws BadObject.
JsonSpans ParseObject(std::string_view json);

}  // namespace syncline::anki::serde
