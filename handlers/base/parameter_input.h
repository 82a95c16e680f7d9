#pragma once
// Reads the parameters of a path and of a query as typed values. As in json_input.h all problems are
// collected, in the order of reading, and reported together with those of the body:
//
//   ParameterInput in(request);
//   const auto anime = in.Path("anime_id").Int();
//   const Page page{.limit = in.Query("limit").Int(1, 100).value_or(25), .genre = in.Query("genre").Text(100)};
//   const Entry entry = ReadJsonBody(request, ReadEntry, in.TakeProblems());   // or in.ThrowIfAny()
//
// Of a repeated parameter the last one counts; unknown ones are ignored. An empty value is a value, `year=` is no year, unless
// the protocol says otherwise (EmptyValues).
// Left out on purpose: required parameters other than texts, because no protocol has any.
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "handlers/base/input.h"
#include "handlers/base/input_values.h"
#include "handlers/base/request.h"

namespace syncline {

class ParameterInput;

/// One parameter, or none. The getters return nothing if there is none, or if it is wrong, which is reported; their
/// comments list the problems. Texts that are not UTF-8, or contain a NUL, are a "value_error".
class Parameter {
 public:
  Parameter(InputProblems& problems, const char* source, std::string_view name,
            std::optional<std::string> text)
      : problems_(&problems), source_(source), name_(name), text_(std::move(text)) {}

  /// "int_parsing", "greater_than_equal", "less_than_equal".
  std::optional<std::int64_t> Int(std::int64_t min = std::numeric_limits<std::int64_t>::min(),
                                  std::int64_t max = std::numeric_limits<std::int64_t>::max()) const;
  /// "float_parsing", "greater_than_equal", "less_than_equal".
  std::optional<double> Double(double min, double max) const;
  /// "string_too_short", "string_too_long".
  std::optional<std::string> Text(std::size_t max_characters, std::size_t min_characters = 0) const;
  /// The index among `choices`. "enum".
  std::optional<std::size_t> Choice(std::span<const std::string_view> choices) const;
  /// true or false, in Pydantic's spellings: true, 1, on, yes, t, y and their opposites, in any case. "bool_parsing".
  std::optional<bool> Bool() const;
  /// "missing" if there is none.
  const Parameter& Required() const;
  /// Reports that a rule of the service is violated.
  void Refuse(ValueProblem problem) const;

 private:
  InputProblems* problems_;
  const char* source_;
  std::string name_;
  std::optional<std::string> text_;
};

/// Whether `year=` is a value, as in FastAPI, or the same as no parameter, as in Django's filters.
enum class EmptyValues { kAreValues, kAreNone };

class ParameterInput {
 public:
  /// The request must outlive this.
  explicit ParameterInput(const Request& request, EmptyValues empty = EmptyValues::kAreValues);

  /// A {name} of the route's pattern.
  Parameter Path(std::string_view name);
  Parameter Query(std::string_view name);
  /// All values of a repeatable parameter, at most `max`; more is "too_long".
  std::vector<Parameter> Queries(std::string_view name, std::size_t max);

  void ThrowIfAny() const { problems_.ThrowIfAny(); }
  InputProblems TakeProblems() { return std::move(problems_); }

 private:
  const Request& request_;
  std::vector<std::pair<std::string, std::string>> query_;  // decoded as far as possible
  InputProblems problems_;
};

}  // namespace syncline
