#pragma once
// The problems of a request's input, each with its place: an Error that a dialect prints in its own way, as
// FastAPI's `{"detail": [{"type", "loc", "msg", "input", "ctx"}]}` (422) or as one public code and a place
// (400). Independent of formats; readers of formats (json_input.h) fill it.
//
// Types and messages are those of FastAPI with Pydantic 2 where they exist, because its clients read them;
// other dialects use the type as their public code. Left out on purpose: translations.
#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "handlers/base/errors.h"

namespace syncline {

/// The path to a value: keys of objects, indexes of arrays, outermost first.
using Place = std::vector<std::variant<std::string, std::size_t>>;

/// A place as a JSON Pointer (RFC 6901): "/items/3/name"; "" is the root.
std::string PointerOf(const Place& place);

struct InputProblem {
  std::string type;             ///< snake_case and public: "missing", "string_too_long"
  const char* source = "body";  ///< "body", "query", "path", "header": the first element of FastAPI's `loc`
  Place place{};                ///< in the source
  std::string message{};        ///< public, one sentence without a full stop
  std::string context{};        ///< a JSON object with the parameters of the message; may be empty
  /// The received value as JSON; empty if longer than kMaxEchoBytes. Dialects that show it must omit secrets.
  std::string input{};
  std::optional<std::size_t> offset{};  ///< of the value, or of the first invalid byte, in the body
};

/// Error BadInput whose code is the type of the first problem. Dialects find it with dynamic_cast.
class InputError : public Error {
 public:
  /// `problems` must not be empty.
  explicit InputError(std::vector<InputProblem> problems);
  const std::vector<InputProblem>& problems() const { return problems_; }

 private:
  std::vector<InputProblem> problems_;
};

/// Collects problems, so that the client gets all of them at once.
class InputProblems {
 public:
  /// Limits the size of the answer. Further problems are reported once these are fixed.
  static constexpr std::size_t kMax = 50;
  static constexpr std::size_t kMaxEchoBytes = 512;

  /// Keeps only the first problem of a place: later ones usually follow from it.
  void Add(InputProblem problem);
  /// True if further problems are dropped, so a reader need not compute their places.
  bool IsFull() const { return problems_.size() >= kMax; }
  /// Throws InputError if there are any.
  void ThrowIfAny() const;

 private:
  std::vector<InputProblem> problems_;
};

}  // namespace syncline
