#include "handlers/base/json_input.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "handlers/base/header_values.h"
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

// 'a', 'b' or 'c'
std::string Listed(std::span<const std::string_view> choices) {
  std::string text;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) text += i + 1 == choices.size() ? " or " : ", ";
    text.append("'").append(choices[i]).append("'");
  }
  return text;
}

std::string Characters(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " character" : " characters");
}

enum class Integer { kNone, kFraction, kTooSmall, kTooLarge, kWhole };

// `number`: -?digits(.digits)?([eE][+-]?digits)? with at least one digit before the point, as in JSON. Shifts
// the point by the exponent and works on digits only, so that nothing is rounded.
Integer ParseInteger(std::string_view number, std::int64_t& result) {
  const bool is_negative = number.starts_with('-');
  if (is_negative) number.remove_prefix(1);
  const std::size_t e = std::min(number.find_first_of("eE"), number.size());
  const std::size_t point = std::min(number.find('.'), e);
  std::string digits(number.substr(0, point));
  const std::string_view fraction = point < e ? number.substr(point + 1, e - point - 1) : std::string_view();
  digits += fraction;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (point == 0 || !std::all_of(digits.begin(), digits.end(), is_digit)) return Integer::kNone;
  std::int64_t exponent = 0;
  if (e < number.size()) {
    std::string_view text = number.substr(e + 1);
    if (text.starts_with('+')) text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (end != text.data() + text.size() || error == std::errc::invalid_argument) return Integer::kNone;
    // More digits than any body has.
    if (error != std::errc()) exponent = text.starts_with('-') ? INT32_MIN : INT32_MAX;
    exponent = std::clamp<std::int64_t>(exponent, INT32_MIN, INT32_MAX);
  }
  exponent -= static_cast<std::int64_t>(fraction.size());
  digits.erase(0, digits.find_first_not_of('0'));
  while (exponent < 0 && digits.ends_with('0')) {
    digits.pop_back();
    ++exponent;
  }
  if (digits.empty()) {
    result = 0;
    return Integer::kWhole;
  }
  if (exponent < 0) return Integer::kFraction;
  constexpr std::size_t kMaxDigits = 19;
  const auto beyond = is_negative ? Integer::kTooSmall : Integer::kTooLarge;
  if (digits.size() + static_cast<std::uint64_t>(exponent) > kMaxDigits) return beyond;
  digits.append(static_cast<std::size_t>(exponent), '0');
  if (is_negative) digits.insert(0, "-");
  const auto error = std::from_chars(digits.data(), digits.data() + digits.size(), result).ec;
  return error == std::errc() ? Integer::kWhole : beyond;
}

// A bound as in the messages: 10, not 10.0.
std::string Plain(double bound) {
  std::string text = JsonWriter().Add(bound).Finish();
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

JsonSpans Parsed(std::string_view text) {
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

}  // namespace

JsonReading::JsonReading(std::string_view text, JsonRules rules, InputProblems problems)
    : spans_(Parsed(text)), rules_(rules), problems_(std::move(problems)) {
  if (spans_.Root().kind == Kind::kNull)
    throw InputError({{.type = "missing", .message = "Field required", .input = "null"}});
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

void JsonValue::Refuse(const char* type, std::string message) const {
  if (value_ != nullptr) reading_->Add(*value_, type, std::move(message));
}

std::string JsonValue::Text(std::size_t max, std::size_t min) const {
  if (!Is(Kind::kString, "string_type", "Input should be a valid string")) return {};
  std::string text = Decoded();
  const std::size_t characters = CountCharacters(text);
  if (characters < min) {
    reading_->Add(*value_, "string_too_short", "String should have at least " + Characters(min),
                  Context("min_length", min));
    return {};
  }
  if (characters > max) {
    reading_->Add(*value_, "string_too_long", "String should have at most " + Characters(max),
                  Context("max_length", max));
    return {};
  }
  if (text.find('\0') != std::string::npos) {
    constexpr const char* kReason = "NUL characters are not allowed";
    reading_->Add(*value_, "value_error", std::string("Value error, ") + kReason, Context("reason", kReason));
    return {};
  }
  return text;
}

std::optional<std::string> JsonValue::Number(const char* type, const char* message) const {
  if (value_ == nullptr) return std::nullopt;
  if (value_->kind == Kind::kNumber) return std::string(Raw());
  if (value_->kind == Kind::kString && reading_->rules().numbers_in_strings) return Decoded();
  reading_->Add(*value_, type, message);
  return std::nullopt;
}

std::int64_t JsonValue::Int(std::int64_t min, std::int64_t max) const {
  const auto number = Number("int_type", "Input should be a valid integer");
  if (!number) return 0;
  std::int64_t result = 0;
  Integer found = ParseInteger(*number, result);
  if (found == Integer::kNone) {
    reading_->Add(*value_, "int_parsing",
                  "Input should be a valid integer, unable to parse string as an integer");
    return 0;
  }
  if (found == Integer::kFraction) {
    reading_->Add(*value_, "int_from_float",
                  "Input should be a valid integer, got a number with a fractional part");
    return 0;
  }
  if (found == Integer::kTooSmall || (found == Integer::kWhole && result < min)) {
    reading_->Add(*value_, "greater_than_equal",
                  "Input should be greater than or equal to " + std::to_string(min), Context("ge", min));
    return 0;
  }
  if (found == Integer::kTooLarge || result > max) {
    reading_->Add(*value_, "less_than_equal", "Input should be less than or equal to " + std::to_string(max),
                  Context("le", max));
    return 0;
  }
  return result;
}

double JsonValue::Double(double min, double max) const {
  const auto number = Number("float_type", "Input should be a valid number");
  if (!number) return 0;
  double result = 0;
  const char* const last = number->data() + number->size();
  const auto [end, error] = std::from_chars(number->data(), last, result);
  // from_chars also reads "inf" and "nan". Out of range means too small for a double in a JSON number:
  // JsonSpans refuses numbers that are too large.
  if (error == std::errc::invalid_argument || end != last ||
      (error == std::errc() && !std::isfinite(result)) ||
      (error != std::errc() && value_->kind != Kind::kNumber)) {
    reading_->Add(*value_, "float_parsing",
                  "Input should be a valid number, unable to parse string as a number");
    return 0;
  }
  if (error != std::errc()) result = 0;
  if (result < min) {
    reading_->Add(*value_, "greater_than_equal", "Input should be greater than or equal to " + Plain(min),
                  Context("ge", min));
    return 0;
  }
  if (result > max) {
    reading_->Add(*value_, "less_than_equal", "Input should be less than or equal to " + Plain(max),
                  Context("le", max));
    return 0;
  }
  return result;
}

bool JsonValue::Bool() const {
  if (value_ != nullptr && value_->kind == Kind::kTrue) return true;
  Is(Kind::kFalse, "bool_type", "Input should be a valid boolean");
  return false;
}

std::size_t JsonValue::Choice(std::span<const std::string_view> choices) const {
  if (value_ == nullptr) return 0;
  if (value_->kind == Kind::kString) {
    const auto found = std::find(choices.begin(), choices.end(), Decoded());
    if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
  }
  const std::string listed = Listed(choices);
  reading_->Add(*value_, "enum", "Input should be " + listed, Context("expected", listed));
  return 0;
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

void RequireJson(const Request& request) {
  const auto type = ParseHeaderParameters(request.Header("content-type").value_or(""));
  if (type && (type->value == "application/json" || type->value.ends_with("+json"))) return;
  throw Error(ErrorKind::kUnsupportedMedia, "not_json");
}

}  // namespace syncline
