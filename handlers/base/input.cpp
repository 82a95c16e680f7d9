#include "handlers/base/input.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace syncline {
namespace {

// For the log: without the values, which may be secret.
std::string Summary(const std::vector<InputProblem>& problems) {
  const InputProblem& first = problems.front();
  std::string text = std::string(first.source) + PointerOf(first.place);
  if (first.offset) text += " at byte " + std::to_string(*first.offset);
  text += ": " + first.message;
  if (problems.size() > 1) text += " (and " + std::to_string(problems.size() - 1) + " more)";
  return text;
}

}  // namespace

std::string PointerOf(const Place& place) {
  std::string pointer;
  for (const auto& step : place) {
    pointer += '/';
    if (const auto* index = std::get_if<std::size_t>(&step)) {
      pointer += std::to_string(*index);
      continue;
    }
    for (const char c : std::get<std::string>(step)) {
      if (c == '~') {
        pointer += "~0";
      } else if (c == '/') {
        pointer += "~1";
      } else {
        pointer += c;
      }
    }
  }
  return pointer;
}

InputError::InputError(std::vector<InputProblem> problems)
    : Error(ErrorKind::kBadInput, problems.front().type, Summary(problems)), problems_(std::move(problems)) {}

void InputProblems::Add(InputProblem problem) {
  if (IsFull()) return;
  const bool is_known = std::any_of(problems_.begin(), problems_.end(), [&](const InputProblem& known) {
    return known.place == problem.place && std::strcmp(known.source, problem.source) == 0;
  });
  if (is_known) return;
  if (problem.input.size() > kMaxEchoBytes) problem.input.clear();
  problems_.push_back(std::move(problem));
}

void InputProblems::ThrowIfAny() const {
  if (!problems_.empty()) throw InputError(problems_);
}

}  // namespace syncline
