#include "handlers/base/json_input.h"

#include <algorithm>

#include "handlers/base/header_values.h"
#include "handlers/base/input_values.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/utf8.h"

namespace syncline {
namespace {

using Value = JsonSpans::Value;
using Kind = JsonSpans::Kind;

// A key is client input; places are sent back and logged.
constexpr std::size_t kMaxKeyBytesInPlace = 100;

std::string KeyInPlace(std::string_view key) {
  return ReplacedInvalid(key.substr(0, kMaxKeyBytesInPlace));  // which may cut a character in two
}

// Searched only on errors, so that reading valid input costs nothing extra.
Place PlaceOf(const JsonSpans& spans, const Value& wanted) {
  Place place;
  const Value* at = &spans.Root();
  while (at != &wanted) {
    const Value* inner = nullptr;
    std::size_t index = 0, count = 0;
    spans.EachIn(*at, [&](const Value& child) {
      if (child.begin <= wanted.begin && wanted.end <= child.end) {
        inner = &child;
        index = count;
      }
      ++count;
    });
    if (inner == nullptr) break;
    if (at->kind == Kind::kObject) {
      place.emplace_back(KeyInPlace(spans.Key(*inner)));
    } else {
      place.emplace_back(index);
    }
    at = inner;
  }
  return place;
}

// A JSON object with one member.
template <typename T>
std::string Context(std::string_view name, const T& value) {
  return JsonWriter().Object().Add(name, value).Finish();
}

}  // namespace

JsonSpans ParseJsonBody(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  if (text.find_first_not_of(kBlanks) == std::string_view::npos) text = "null";
  try {
    return JsonSpans(text);
  } catch (const BadJson& e) {
    throw InputError({{.type = "json_invalid",
                       .message = "JSON decode error",
                       .context = Context("error", e.what()),
                       .offset = e.offset()}});
  }
}

JsonReading::JsonReading(JsonSpans spans, JsonRules rules, InputProblems problems)
    : spans_(std::move(spans)), rules_(rules), problems_(std::move(problems)) {
  if (Root() == nullptr) problems_.Add({.type = "missing", .message = "Field required", .input = "null"});
  if (rules_.takes_last_key) return;
  if (const Value* twice = spans_.FindDuplicateKey()) {
    throw InputError({{.type = "duplicate_key",
                       .place = PlaceOf(spans_, *twice),
                       .message = "The same key twice in one object",
                       .offset = twice->begin}});
  }
}

void JsonReading::Add(const Value& value, const char* type, std::string message, std::string context,
                      std::string_view key) {
  // Finding a place takes time, and a body can have a million problems.
  if (problems_.IsFull()) return;
  Place place = PlaceOf(spans_, value);
  if (!key.empty()) place.emplace_back(KeyInPlace(key));
  const std::string_view raw = spans_.Raw(value);
  problems_.Add({.type = type,
                 .place = std::move(place),
                 .message = std::move(message),
                 .context = std::move(context),
                 .input = std::string(raw.substr(0, InputProblems::kMaxEchoBytes + 1)),
                 .offset = value.begin});
}

bool JsonValue::Is(Kind kind, const char* type, const char* message) const {
  if (value_ == nullptr) return false;
  if (value_->kind == kind) return true;
  reading_->Add(*value_, type, message);
  return false;
}

void JsonValue::Refuse(const ValueProblem& problem) const {
  if (value_ != nullptr) reading_->Add(*value_, problem.type, problem.message, problem.context);
}

void JsonValue::Refuse(const char* type, std::string message) const {
  if (value_ != nullptr) reading_->Add(*value_, type, std::move(message));
}

std::string JsonValue::Text(std::size_t max, std::size_t min) const {
  if (!Is(Kind::kString, "string_type", "Input should be a valid string")) return {};
  std::string text = Decoded();
  if (const auto problem = CheckText(text, max, min)) {
    Refuse(*problem);
    return {};
  }
  return text;
}

std::optional<std::pair<std::string, NumberForm>> JsonValue::Number(const char* type,
                                                                    const char* message) const {
  if (value_ == nullptr) return std::nullopt;
  if (value_->kind == Kind::kNumber) return std::pair{std::string(Raw()), NumberForm::kJson};
  if (value_->kind == Kind::kString && reading_->rules().numbers_in_strings)
    return std::pair{Decoded(), NumberForm::kText};
  reading_->Add(*value_, type, message);
  return std::nullopt;
}

std::int64_t JsonValue::Int(std::int64_t min, std::int64_t max) const {
  std::int64_t result = 0;
  const auto number = Number("int_type", "Input should be a valid integer");
  if (!number) return 0;
  if (const auto problem = ReadInt(number->first, number->second, min, max, result)) {
    Refuse(*problem);
    return 0;
  }
  return result;
}

double JsonValue::Double(double min, double max) const {
  double result = 0;
  const auto number = Number("float_type", "Input should be a valid number");
  if (!number) return 0;
  if (const auto problem = ReadDouble(number->first, number->second, min, max, result)) Refuse(*problem);
  return result;
}

bool JsonValue::Bool() const {
  if (value_ != nullptr && value_->kind == Kind::kTrue) return true;
  Is(Kind::kFalse, "bool_type", "Input should be a valid boolean");
  return false;
}

std::size_t JsonValue::Choice(std::span<const std::string_view> choices) const {
  if (value_ == nullptr) return 0;
  std::size_t result = 0;
  const auto problem =
      value_->kind == Kind::kString ? ReadChoice(Decoded(), choices, result) : NotAmong(choices);
  if (problem) Refuse(*problem);
  return result;
}

JsonObject JsonValue::Object() const {
  const bool is_object = Is(Kind::kObject, "model_attributes_type",
                            "Input should be a valid dictionary or object to extract fields from");
  return {*reading_, is_object ? value_ : nullptr};
}

std::vector<JsonValue> JsonValue::List(std::size_t max_elements) const {
  std::vector<JsonValue> elements;
  if (!Is(Kind::kArray, "list_type", "Input should be a valid list")) return elements;
  std::size_t count = 0;
  reading_->spans().EachIn(*value_, [&](const Value& element) {
    if (count++ < max_elements) elements.emplace_back(*reading_, &element);
  });
  if (count <= max_elements) return elements;
  reading_->Add(*value_, "too_long",
                "List should have at most " + std::to_string(max_elements) +
                    (max_elements == 1 ? " item" : " items") + " after validation, not " +
                    std::to_string(count),
                JsonWriter()
                    .Object()
                    .Add("field_type", "List")
                    .Add("max_length", max_elements)
                    .Add("actual_length", count)
                    .Finish());
  return {};
}

std::string_view JsonValue::Raw() const {
  return value_ == nullptr ? std::string_view() : reading_->spans().Raw(*value_);
}

std::optional<JsonValue> JsonObject::Find(std::string_view key) const {
  std::optional<JsonValue> found;
  if (self_.value_ == nullptr) return found;
  const JsonSpans& spans = self_.reading_->spans();
  spans.EachIn(*self_.value_, [&](const Value& member) {
    if (spans.Key(member) != key) return;
    found.emplace(*self_.reading_, &member);
    asked_.push_back(&member);
  });
  return found;
}

JsonValue JsonObject::operator[](std::string_view key) const {
  if (auto found = Find(key)) return *found;
  if (self_.value_ != nullptr) self_.reading_->Add(*self_.value_, "missing", "Field required", "", key);
  return {*self_.reading_, nullptr};
}

JsonMaybe JsonObject::Maybe(std::string_view key) const {
  return JsonMaybe(Find(key));
}

std::vector<std::pair<std::string_view, JsonValue>> JsonObject::Members() const {
  std::vector<std::pair<std::string_view, JsonValue>> members;
  if (self_.value_ == nullptr) return members;
  const JsonSpans& spans = self_.reading_->spans();
  spans.EachIn(*self_.value_, [&](const Value& member) {
    members.emplace_back(spans.Key(member), JsonValue(*self_.reading_, &member));
    asked_.push_back(&member);
  });
  return members;
}

void JsonObject::RefuseOthers() const {
  if (self_.value_ == nullptr) return;
  std::sort(asked_.begin(), asked_.end());
  self_.reading_->spans().EachIn(*self_.value_, [&](const Value& member) {
    if (std::binary_search(asked_.begin(), asked_.end(), &member)) return;
    self_.reading_->Add(member, "extra_forbidden", "Extra inputs are not permitted");
  });
}

bool IsJson(const Request& request) {
  const auto type = ParseHeaderParameters(request.Header("content-type").value_or(""));
  return type && (type->value == "application/json" || type->value.ends_with("+json"));
}

void RequireJson(const Request& request) {
  if (!IsJson(request)) throw Error(ErrorKind::kUnsupportedMedia, "not_json");
}

}  // namespace syncline
