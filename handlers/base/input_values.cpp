#include "handlers/base/input_values.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "handlers/base/json_writer.h"
#include "handlers/base/utf8.h"

namespace syncline {
namespace {

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

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
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
  if (point == 0 || !std::all_of(digits.begin(), digits.end(), IsDigit)) return Integer::kNone;
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

// Without the spaces around it and a plus sign.
std::string_view Bare(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n\v\f";
  const std::size_t first = std::min(text.find_first_not_of(kSpaces), text.size());
  text.remove_prefix(first);
  text = text.substr(0, text.find_last_not_of(kSpaces) + 1);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  return text;
}

// digits or digits.zeros
bool IsWholeText(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view digits = text.substr(0, point), zeros = text.substr(point);
  return !digits.empty() && std::all_of(digits.begin(), digits.end(), IsDigit) &&
         (zeros.empty() || (zeros.size() > 1 && zeros.find_first_not_of('0', 1) == std::string_view::npos));
}

// A bound as in the messages: 10, not 10.0.
std::string Plain(double bound) {
  std::string text = JsonWriter().Add(bound).Finish();
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}
std::string Plain(std::int64_t bound) {
  return std::to_string(bound);
}

template <typename T>
ValueProblem TooSmall(T min) {
  return {"greater_than_equal", "Input should be greater than or equal to " + Plain(min), Context("ge", min)};
}
template <typename T>
ValueProblem TooLarge(T max) {
  return {"less_than_equal", "Input should be less than or equal to " + Plain(max), Context("le", max)};
}

}  // namespace

std::optional<ValueProblem> ReadInt(std::string_view number, NumberForm form, std::int64_t min,
                                    std::int64_t max, std::int64_t& result) {
  if (form == NumberForm::kText) number = Bare(number);
  const Integer found =
      form == NumberForm::kText && !IsWholeText(number) ? Integer::kNone : ParseInteger(number, result);
  if (found == Integer::kNone)
    return ValueProblem{"int_parsing",
                        "Input should be a valid integer, unable to parse string as an integer"};
  if (found == Integer::kFraction)
    return ValueProblem{"int_from_float",
                        "Input should be a valid integer, got a number with a fractional part"};
  if (found == Integer::kTooSmall || (found == Integer::kWhole && result < min)) return TooSmall(min);
  if (found == Integer::kTooLarge || result > max) return TooLarge(max);
  return std::nullopt;
}

std::optional<ValueProblem> ReadDouble(std::string_view number, NumberForm form, double min, double max,
                                       double& result) {
  if (form == NumberForm::kText) number = Bare(number);
  double value = 0;
  const char* const last = number.data() + number.size();
  const auto [end, error] = std::from_chars(number.data(), last, value);
  if (error == std::errc::invalid_argument || end != last) {
    return ValueProblem{"float_parsing",
                        "Input should be a valid number, unable to parse string as a number"};
  }
  // Too large, or too small to differ from 0: strtod tells which.
  if (error != std::errc()) value = std::strtod(std::string(number).c_str(), nullptr);
  // Not `value < min`: NaN is not in any range.
  if (!(value >= min)) return TooSmall(min);
  if (value > max) return TooLarge(max);
  result = value;
  return std::nullopt;
}

std::optional<ValueProblem> ReadChoice(std::string_view text, std::span<const std::string_view> choices,
                                       std::size_t& result) {
  const auto found = std::find(choices.begin(), choices.end(), text);
  if (found == choices.end()) return NotAmong(choices);
  result = static_cast<std::size_t>(found - choices.begin());
  return std::nullopt;
}

std::optional<ValueProblem> CheckText(std::string_view text, std::size_t max, std::size_t min) {
  const std::size_t characters = CountCharacters(text);
  if (characters < min) {
    return ValueProblem{"string_too_short", "String should have at least " + Characters(min),
                        Context("min_length", min)};
  }
  if (characters > max) {
    return ValueProblem{"string_too_long", "String should have at most " + Characters(max),
                        Context("max_length", max)};
  }
  if (text.find('\0') != std::string_view::npos) return NotAccepted("NUL characters are not allowed");
  return std::nullopt;
}

ValueProblem NotAccepted(std::string_view reason) {
  return {"value_error", "Value error, " + std::string(reason), Context("reason", reason)};
}

ValueProblem NotAmong(std::span<const std::string_view> choices) {
  const std::string listed = Listed(choices);
  return {"enum", "Input should be " + listed, Context("expected", listed)};
}

}  // namespace syncline
