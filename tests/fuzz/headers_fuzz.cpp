// Header values, one per line: conditions, ranges, cookies, dates, parameters, tokens. Refused or ignored, or
// the results are within their bounds.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "handlers/base/conditional.h"
#include "handlers/base/cookies.h"
#include "handlers/base/errors.h"
#include "handlers/base/header_values.h"
#include "handlers/base/range.h"
#include "handlers/base/seal.h"

using namespace syncline;

namespace {

const Current kCurrent{.exists = true,
                       .etag = ETag::Of("v2"),
                       .modified_at = std::chrono::sys_seconds(std::chrono::seconds(784111777))};

std::string_view TakeLine(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  return line;
}

void UseConditions(const Request& request) {
  try {
    const Conditions conditions(request);
    if (Evaluate(conditions, kCurrent) == Outcome::kNotModified && !conditions.is_read) std::abort();
    Check({}, kCurrent);
    RequireCondition(conditions, kCurrent);
  } catch (const Error& error) {
    const int status = StatusOf(error.kind());
    if (status != 400 && status != 412 && status != 428) std::abort();
  }
}

void UseRange(const Request& request, std::uint64_t length) {
  try {
    const auto range = RangeOf(request, kCurrent, length);
    if (range && (range->first > range->last || range->last >= length || range->Size() > length))
      std::abort();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kRangeNotSatisfiable) std::abort();
  }
}

void UseDate(std::string_view text) {
  const auto date = ParseHttpDate(text);
  if (date && ParseHttpDate(PrintHttpDate(*date)) != date) std::abort();
}

void UseTag(std::string_view text) {
  const auto tag = ParseETag(text);
  if (!tag) return;
  const auto again = ParseETag(tag->Print());
  if (!again || !IsSameWeakly(*tag, *again) || tag->is_weak != again->is_weak) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Secret secret = Secret::FromText("0123456789abcdef0123456789abcdef");
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  Request request;
  request.method = size % 2 == 0 ? "GET" : "PUT";
  for (const char* name : {"if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "range",
                           "if-range", "cookie"}) {
    const std::string_view line = TakeLine(rest);
    if (!line.empty()) request.headers.emplace_back(name, line);
    UseDate(line);
    UseTag(line);
    if (const auto read = ParseHeaderParameters(line); read && read->value.empty()) std::abort();
    if (secret.ReadToken("p", line, {}).has_value() || secret.Open("p", line, "").has_value()) std::abort();
  }
  UseConditions(request);
  request.method = "GET";
  for (const std::uint64_t length : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1000}, UINT64_MAX})
    UseRange(request, length);
  const auto cookie = CookieOf(request, "s");
  if (cookie && request.Header("cookie")->find(*cookie) == std::string_view::npos) std::abort();
  return 0;
}
