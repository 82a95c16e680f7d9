#include "handlers/base/json_body.h"

#include "handlers/base/errors.h"
#include "handlers/base/utf8.h"

namespace syncline {
namespace {

// The pipeline enforces the limit of the route, which is smaller.
constexpr std::size_t kMaxBytes = 1 << 20;

}  // namespace

void ParseBodyFirst(Request& request, Context&) {
  if (request.Kept<ParsedBody>() != nullptr) return;
  const auto text = std::make_shared<const std::string>(request.ReadBody(kMaxBytes));
  ParsedBody body{text, std::nullopt};
  if (text->empty() || !request.Header("content-type") || IsJson(request)) {
    if (!IsUtf8(*text)) throw BadInput("body_not_utf8");
    body.json = ParseJsonBody(*text);
  }
  request.Keep(std::move(body));
  request.is_body_kept = true;
}

const ParsedBody& BodyOf(const Request& request) {
  const auto* body = request.Kept<ParsedBody>();
  if (body == nullptr)
    throw Error(ErrorKind::kInternal, "internal", "the route does not parse its body first");
  return *body;
}

}  // namespace syncline
