#include "handlers/base/parameter_input.h"

#include <algorithm>

#include "handlers/base/errors.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/utf8.h"

namespace syncline {
namespace {

// A '%' without two hex digits stands for itself, as in Python's unquote.
std::string Decoded(std::string_view text) {
  try {
    return PercentDecoded(text, /*plus_is_space=*/true);
  } catch (const Error&) {
    return std::string(text);
  }
}

}  // namespace

void Parameter::Refuse(ValueProblem problem) const {
  problems_->Add({.type = problem.type,
                  .source = source_,
                  .place = {name_},
                  .message = std::move(problem.message),
                  .context = std::move(problem.context),
                  .input = JsonWriter().Add(text_).Finish()});
}

std::optional<std::int64_t> Parameter::Int(std::int64_t min, std::int64_t max) const {
  if (!text_) return std::nullopt;
  std::int64_t result = 0;
  const auto problem = ReadInt(*text_, NumberForm::kText, min, max, result);
  if (!problem) return result;
  Refuse(*problem);
  return std::nullopt;
}

std::optional<double> Parameter::Double(double min, double max) const {
  if (!text_) return std::nullopt;
  double result = 0;
  const auto problem = ReadDouble(*text_, NumberForm::kText, min, max, result);
  if (!problem) return result;
  Refuse(*problem);
  return std::nullopt;
}

std::optional<std::string> Parameter::Text(std::size_t max, std::size_t min) const {
  if (!text_) return std::nullopt;
  const auto problem =
      IsUtf8(*text_) ? CheckText(*text_, max, min) : NotAccepted("the text is not valid UTF-8");
  if (!problem) return text_;
  Refuse(*problem);
  return std::nullopt;
}

std::optional<std::size_t> Parameter::Choice(std::span<const std::string_view> choices) const {
  if (!text_) return std::nullopt;
  std::size_t result = 0;
  const auto problem = ReadChoice(*text_, choices, result);
  if (!problem) return result;
  Refuse(*problem);
  return std::nullopt;
}

std::optional<bool> Parameter::Bool() const {
  if (!text_) return std::nullopt;
  std::string word = *text_;
  std::transform(word.begin(), word.end(), word.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  for (const char* yes : {"true", "1", "on", "yes", "t", "y"}) {
    if (word == yes) return true;
  }
  for (const char* no : {"false", "0", "off", "no", "f", "n"}) {
    if (word == no) return false;
  }
  Refuse({"bool_parsing", "Input should be a valid boolean, unable to interpret input"});
  return std::nullopt;
}

const Parameter& Parameter::Required() const {
  if (!text_) Refuse({"missing", "Field required"});
  return *this;
}

ParameterInput::ParameterInput(const Request& request, EmptyValues empty) : request_(request) {
  std::string_view rest = request.query;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const std::string_view key = pair.substr(0, pair.find('='));
    if (empty == EmptyValues::kAreNone && pair.size() <= key.size() + 1) continue;
    query_.emplace_back(Decoded(key), Decoded(pair.substr(std::min(pair.size(), key.size() + 1))));
  }
}

Parameter ParameterInput::Path(std::string_view name) {
  return {problems_, "path", name, std::string(request_.PathParam(name))};
}

Parameter ParameterInput::Query(std::string_view name) {
  const auto last =
      std::find_if(query_.rbegin(), query_.rend(), [&](const auto& pair) { return pair.first == name; });
  return {problems_, "query", name,
          last == query_.rend() ? std::nullopt : std::optional<std::string>(last->second)};
}

std::vector<Parameter> ParameterInput::Queries(std::string_view name, std::size_t max) {
  std::vector<Parameter> found;
  for (const auto& [key, value] : query_) {
    if (key != name) continue;
    if (found.size() == max) {
      found.back().Refuse({"too_long", "At most " + std::to_string(max) + " values are accepted"});
      return {};
    }
    found.emplace_back(problems_, "query", name, value);
  }
  return found;
}

}  // namespace syncline
