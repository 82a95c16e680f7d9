#pragma once
// What members of JSON bodies (json_input.h) and parameters of paths and queries (parameter_input.h) share:
// parsing of numbers, bounds, and the types and messages of problems. It follows Pydantic 2 in lax mode,
// because clients of FastAPI servers rely on that.
//
// Left out on purpose, of Pydantic's spellings: `1_000`, and true as 1.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace syncline {

/// A problem with a value; the reader adds its place. The members are those of InputProblem.
struct ValueProblem {
  const char* type;
  std::string message;
  std::string context{};
};

enum class NumberForm {
  /// The syntax of JSON numbers: 5, 5.0, 50e-1. A whole number with a fraction or an exponent is an integer.
  kJson,
  /// Numbers as typed by people: "5", "+5", " 5 ", "007", "5.0". For integers "5." and "1e3" are refused; for
  /// others ".5", "5.", "1e1" are accepted.
  kText,
};

/// Reads an integer into `result`, exactly. "int_parsing", "int_from_float" (kJson only), "greater_than_equal",
/// "less_than_equal".
std::optional<ValueProblem> ReadInt(std::string_view number, NumberForm form, std::int64_t min,
                                    std::int64_t max, std::int64_t& result);
/// Reads a number into `result`, always finite. "float_parsing", "greater_than_equal", "less_than_equal".
std::optional<ValueProblem> ReadDouble(std::string_view number, NumberForm form, double min, double max,
                                       double& result);
/// The index of `text` among `choices` into `result`. "enum".
std::optional<ValueProblem> ReadChoice(std::string_view text, std::span<const std::string_view> choices,
                                       std::size_t& result);
/// Checks a text, which is UTF-8. Lengths are in characters (code points). "string_too_short", "string_too_long",
/// "value_error" for a NUL, which PostgreSQL's text cannot store.
std::optional<ValueProblem> CheckText(std::string_view text, std::size_t max_characters,
                                      std::size_t min_characters);
/// "value_error". `reason` is public, without a full stop.
ValueProblem NotAccepted(std::string_view reason);
/// "enum" for a value that is no text.
ValueProblem NotAmong(std::span<const std::string_view> choices);

}  // namespace syncline
