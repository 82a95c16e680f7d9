#pragma once
// Reads the JSON body of a REST request member by member into typed values. All problems are collected and
// reported together, each with its place (input.h). An invalid value reads as 0, "" or nothing, and the
// result is discarded at the end. Example:
//
//   const NewEntry entry = ReadJson(request.ReadBody(kMaxBytes), [](const JsonObject& in) {
//     return NewEntry{.anime = in.Int("anime_id", 1, kMaxId),
//                     .status = in.Choice("status", kStatuses),
//                     .score = in.Maybe("score").Double(0, 10),
//                     .tags = in.List("tags", 50, [](const JsonValue& tag) { return tag.Text(40); })};
//   });
//
// Choices that JSON leaves open: an object with a duplicate key is refused, at any depth, unless JsonRules say
// otherwise; unknown keys are ignored unless RefuseOthers is called; an integer may have any spelling (5, 5.0, 50e-1) and is read by its
// digits, never through a double, so that all 64 bits are exact; texts are measured in code points and
// contain no NUL, which PostgreSQL's text cannot store.
//
// Left out on purpose: values that a protocol stores as received (JsonValue::Raw returns them), dates, and
// rules across members, which belong to the service (Refuse).
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "handlers/base/input.h"
#include "handlers/base/input_values.h"
#include "handlers/base/json.h"
#include "handlers/base/request.h"

namespace syncline {

class JsonObject;
class JsonMaybe;

struct JsonRules {
  /// Whether Int and Double take "5" for 5, as FastAPI does.
  bool numbers_in_strings = false;
  /// Whether the last of several members with one key counts, as in FastAPI. Otherwise "duplicate_key".
  bool takes_last_key = false;
};

/// The body as parsed, all of it; blanks only are null. Throws InputError "json_invalid".
JsonSpans ParseJsonBody(std::string_view text);

/// One parsed body and its problems. Only ReadJson makes one.
class JsonReading {
 public:
  /// Throws InputError "duplicate_key".
  JsonReading(JsonSpans spans, JsonRules rules, InputProblems problems);
  const JsonSpans& spans() const { return spans_; }
  const JsonRules& rules() const { return rules_; }
  /// Null if there is no body, which has been reported.
  const JsonSpans::Value* Root() const {
    return spans_.Root().kind == JsonSpans::Kind::kNull ? nullptr : &spans_.Root();
  }
  /// `key`: a member that is missing in `value`.
  void Add(const JsonSpans::Value& value, const char* type, std::string message, std::string context = "",
           std::string_view key = {});
  void ThrowIfAny() const { problems_.ThrowIfAny(); }

 private:
  JsonSpans spans_;
  JsonRules rules_;
  InputProblems problems_;
};

/// One value, or a placeholder for a missing one, which has been reported: its getters return nothing. The
/// getters' comments list the problems they report.
class JsonValue {
 public:
  static constexpr std::int64_t kMinInt = std::numeric_limits<std::int64_t>::min();
  static constexpr std::int64_t kMaxInt = std::numeric_limits<std::int64_t>::max();

  JsonValue(JsonReading& reading, const JsonSpans::Value* value) : reading_(&reading), value_(value) {}

  /// "string_type", "string_too_short", "string_too_long", "value_error" for a NUL.
  std::string Text(std::size_t max_characters, std::size_t min_characters = 0) const;
  /// "int_type", "int_parsing", "int_from_float", "greater_than_equal", "less_than_equal".
  std::int64_t Int(std::int64_t min = kMinInt, std::int64_t max = kMaxInt) const;
  /// "float_type", "float_parsing", "greater_than_equal", "less_than_equal". Always finite.
  double Double(double min, double max) const;
  /// "bool_type".
  bool Bool() const;
  /// The index of the text among `choices`. "enum".
  std::size_t Choice(std::span<const std::string_view> choices) const;
  /// "model_attributes_type".
  JsonObject Object() const;
  /// The elements. "list_type", "too_long".
  std::vector<JsonValue> List(std::size_t max_elements) const;
  /// The results of `read` for the elements.
  template <typename Read>
  auto List(std::size_t max_elements, Read read) const {
    std::vector<decltype(read(std::declval<const JsonValue&>()))> results;
    for (const JsonValue& element : List(max_elements)) results.push_back(read(element));
    return results;
  }
  bool IsNull() const { return value_ != nullptr && value_->kind == JsonSpans::Kind::kNull; }
  /// The value's text as received, a view into the body.
  std::string_view Raw() const;
  /// Reports that a rule of the service is violated. `message` is public, one sentence without a full stop.
  void Refuse(const char* type, std::string message) const;
  void Refuse(const ValueProblem& problem) const;

 private:
  friend class JsonObject;
  bool Is(JsonSpans::Kind kind, const char* type, const char* message) const;
  /// The number's text, also from a string if the rules allow it. None: a problem was reported.
  std::optional<std::pair<std::string, NumberForm>> Number(const char* type, const char* message) const;
  std::string Decoded() const { return reading_->spans().Text(*value_); }

  JsonReading* reading_;
  const JsonSpans::Value* value_;
};

/// The members of an object.
class JsonObject {
 public:
  JsonObject(JsonReading& reading, const JsonSpans::Value* object) : self_(reading, object) {}

  /// A required member: "missing". null is a value.
  JsonValue operator[](std::string_view key) const;
  /// None if it is missing. null is a value, so that a PATCH can tell "keep" from "clear".
  std::optional<JsonValue> Find(std::string_view key) const;
  /// A member that may be missing or null.
  JsonMaybe Maybe(std::string_view key) const;

  std::string Text(std::string_view key, std::size_t max, std::size_t min = 0) const {
    return (*this)[key].Text(max, min);
  }
  std::int64_t Int(std::string_view key, std::int64_t min = JsonValue::kMinInt,
                   std::int64_t max = JsonValue::kMaxInt) const {
    return (*this)[key].Int(min, max);
  }
  double Double(std::string_view key, double min, double max) const { return (*this)[key].Double(min, max); }
  bool Bool(std::string_view key) const { return (*this)[key].Bool(); }
  std::size_t Choice(std::string_view key, std::span<const std::string_view> choices) const {
    return (*this)[key].Choice(choices);
  }
  JsonObject Object(std::string_view key) const { return (*this)[key].Object(); }
  template <typename Read>
  auto List(std::string_view key, std::size_t max_elements, Read read) const {
    return (*this)[key].List(max_elements, read);
  }

  /// All members in order, for objects whose keys are data. The keys are views into the reading.
  std::vector<std::pair<std::string_view, JsonValue>> Members() const;
  /// Reports every member that was not read through this object: "extra_forbidden". Call it last.
  void RefuseOthers() const;

 private:
  JsonValue self_;
  mutable std::vector<const JsonSpans::Value*> asked_;
};

/// A member that may be missing or null: none in that case, otherwise as JsonValue.
class JsonMaybe {
 public:
  explicit JsonMaybe(std::optional<JsonValue> value) : value_(std::move(value)) {
    if (value_ && value_->IsNull()) value_.reset();
  }
  std::optional<std::string> Text(std::size_t max, std::size_t min = 0) const {
    return Of([&](const JsonValue& value) { return value.Text(max, min); });
  }
  std::optional<std::int64_t> Int(std::int64_t min = JsonValue::kMinInt,
                                  std::int64_t max = JsonValue::kMaxInt) const {
    return Of([&](const JsonValue& value) { return value.Int(min, max); });
  }
  std::optional<double> Double(double min, double max) const {
    return Of([&](const JsonValue& value) { return value.Double(min, max); });
  }
  std::optional<bool> Bool() const {
    return Of([](const JsonValue& value) { return value.Bool(); });
  }
  std::optional<std::size_t> Choice(std::span<const std::string_view> choices) const {
    return Of([&](const JsonValue& value) { return value.Choice(choices); });
  }
  /// The result of `read` for the object.
  template <typename Read>
  auto Object(Read read) const {
    return Of([&](const JsonValue& value) { return read(value.Object()); });
  }
  template <typename Read>
  auto List(std::size_t max_elements, Read read) const {
    return Of([&](const JsonValue& value) { return value.List(max_elements, read); });
  }

 private:
  template <typename Get>
  auto Of(Get get) const -> std::optional<decltype(get(std::declval<const JsonValue&>()))> {
    if (!value_) return std::nullopt;
    return get(*value_);
  }
  std::optional<JsonValue> value_;
};

/// Whether the body's Content-Type is application/json or ends in +json.
bool IsJson(const Request& request);

/// Error UnsupportedMedia "not_json" unless IsJson. A page of another origin can send other types without a
/// CORS preflight, so routes with cookies need this.
void RequireJson(const Request& request);

/// Returns `read` of the body: a function of a JsonObject, or of a JsonValue if the body may be something
/// other than an object. Throws InputError afterwards if there were problems; "missing" if the body is empty
/// or null. `problems`: problems already found in the path or the query, reported together with those of the
/// body.
template <typename Read>
auto ReadJson(JsonSpans spans, Read read, JsonRules rules = {}, InputProblems problems = {}) {
  JsonReading reading(std::move(spans), rules, std::move(problems));
  const JsonValue root(reading, reading.Root());
  const auto finished = [&](auto&& result) {
    reading.ThrowIfAny();
    return std::forward<decltype(result)>(result);
  };
  if constexpr (std::is_invocable_v<Read, const JsonObject&>) {
    return finished(read(root.Object()));
  } else {
    return finished(read(root));
  }
}

template <typename Read>
auto ReadJson(std::string_view text, Read read, JsonRules rules = {}, InputProblems problems = {}) {
  return ReadJson(ParseJsonBody(text), std::move(read), rules, std::move(problems));
}

}  // namespace syncline
