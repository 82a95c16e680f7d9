#pragma once
// What is wrong with the input of a request, place by place: an Error that a dialect can print in its own way,
// as FastAPI's `{"detail": [{"type", "loc", "msg", "input", "ctx"}]}` (422) or as one public code and a place
// (400). Knows no format; readers of formats (json_input.h) fill it.
//
// Types and messages are those of FastAPI with Pydantic 2 where it has one, because its clients read them;
// other dialects use the type as their public code. Left out on purpose: translations.
#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "handlers/base/errors.h"

namespace syncline {

/// Where a value stands: keys of objects, indexes of arrays, from the outside in.
using Place = std::vector<std::variant<std::string, std::size_t>>;

/// A place as a JSON Pointer (RFC 6901): "/items/3/name"; "" is the whole.
std::string PointerOf(const Place& place);

struct InputProblem {
  std::string type;             ///< snake_case and public: "missing", "string_too_long"
  const char* source = "body";  ///< "body", "query", "path", "header": the first element of FastAPI's `loc`
  Place place{};                ///< in the source
  std::string message{};        ///< public, one sentence without a full stop
  std::string context{};        ///< a JSON object with the figures of the message; may be empty
  /// What came, as JSON; empty when it was longer than kMaxEchoBytes. Dialects that show it must leave out
  /// what is secret.
  std::string input{};
  std::optional<std::size_t> offset{};  ///< of the value, or of the first byte that is no JSON, in the body
};

/// Error BadInput whose code is the type of the first problem. Dialects find it by a dynamic_cast.
class InputError : public Error {
 public:
  /// `problems` is not empty.
  explicit InputError(std::vector<InputProblem> problems);
  const std::vector<InputProblem>& problems() const { return problems_; }

 private:
  std::vector<InputProblem> problems_;
};

/// Collects, so that a client learns all that is wrong at once.
class InputProblems {
 public:
  /// Bounds the answer. Who makes more mistakes learns of the rest when these are mended.
  static constexpr std::size_t kMax = 50;
  static constexpr std::size_t kMaxEchoBytes = 512;

  /// Only the first one at a place counts: what follows from it would confuse.
  void Add(InputProblem problem);
  /// Nothing more is kept: a reader can save itself the trouble of finding the place.
  bool IsFull() const { return problems_.size() >= kMax; }
  /// Throws InputError if there are any.
  void ThrowIfAny() const;

 private:
  std::vector<InputProblem> problems_;
};

}  // namespace syncline
