#pragma once
// The JSON body of a request in the order of FastAPI, which its clients can observe: broken JSON is a 422 even
// without a login; then comes the login; then path, query and body are validated, and all problems are
// reported together.
//
//   Route{"POST", ...}.ParsingFirst(ParseBodyFirst)
//   const Entry entry = ReadJsonBody(request, [](const JsonObject& in) { ... }, parameters.TakeProblems());
//
// Left out on purpose: bodies other than JSON (form.h, multipart.h), and large bodies, because the whole body
// is held in memory.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "handlers/base/context.h"
#include "handlers/base/json.h"
#include "handlers/base/json_input.h"
#include "handlers/base/request.h"

namespace syncline {

/// A body that ParseBodyFirst has parsed.
struct ParsedBody {
  std::shared_ptr<const std::string> text;  ///< `json` points into it
  std::optional<JsonSpans> json;            ///< none: the Content-Type is not JSON
};

/// Route::before_login: reads and parses the body, up to the route's limit. A body counts as JSON if its
/// Content-Type is application/json, ends in +json, or is missing. Throws InputError "json_invalid", Error
/// BadInput "body_not_utf8". The parsed body is kept with the request.
void ParseBodyFirst(Request& request, Context& context);

/// The body that ParseBodyFirst has kept. Throws Error Internal if the route does not call it.
const ParsedBody& BodyOf(const Request& request);

/// FastAPI's rules for numbers and repeated keys.
inline constexpr JsonRules kLaxJson{.numbers_in_strings = true, .takes_last_key = true};

/// As ReadJson. A body of another type is a "model_attributes_type".
template <typename Read>
auto ReadJsonBody(const Request& request, Read read, InputProblems problems = {}) {
  const ParsedBody& body = BodyOf(request);
  // Never shown: as text it may contain a password.
  if (!body.json) {
    problems.Add({.type = "model_attributes_type",
                  .message = "Input should be a valid dictionary or object to extract fields from"});
    problems.ThrowIfAny();
  }
  return ReadJson(*body.json, std::move(read), kLaxJson, std::move(problems));
}

}  // namespace syncline
