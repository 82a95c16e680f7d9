#include "handlers/base/range.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>

#include "handlers/base/errors.h"
#include "handlers/base/header_values.h"

namespace syncline {
namespace {

// A number of any length; beyond 64 bits it becomes the largest. None unless all are digits.
std::optional<std::uint64_t> ParseNumber(std::string_view text) {
  std::uint64_t number = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (end != last || error == std::errc::invalid_argument) return std::nullopt;
  return error == std::errc() ? number : std::numeric_limits<std::uint64_t>::max();
}

// One range as requested.
struct Asked {
  std::optional<std::uint64_t> first, last;  // without `first`: this many bytes at the end
};

std::optional<Asked> ParseRange(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == text.npos) return std::nullopt;
  const std::string_view before = text.substr(0, dash), after = text.substr(dash + 1);
  Asked asked;
  if (!before.empty() && !(asked.first = ParseNumber(before))) return std::nullopt;
  if (!after.empty() && !(asked.last = ParseNumber(after))) return std::nullopt;
  if (!asked.first && !asked.last) return std::nullopt;
  if (asked.first && asked.last && *asked.last < *asked.first) return std::nullopt;
  return asked;
}

bool HasByteOf(const Asked& asked, std::uint64_t length) {
  return asked.first ? *asked.first < length : *asked.last > 0;
}

bool Holds(std::string_view if_range, const Current& current, std::chrono::system_clock::time_point now) {
  if (const auto tag = ParseETag(if_range)) return current.etag && IsSameStrongly(*tag, *current.etag);
  const auto date = ParseHttpDate(if_range, now);
  if (!date || !current.modified_at) return false;
  // Whole seconds throughout: an HTTP date may be out of range for a nanosecond clock.
  using std::chrono::floor, std::chrono::seconds;
  return floor<seconds>(*current.modified_at) == *date && floor<seconds>(now) - *date >= seconds(1);
}

}  // namespace

std::optional<ByteRange> RangeOf(const Request& request, const Current& current, std::uint64_t body_length,
                                 std::chrono::system_clock::time_point now) {
  constexpr std::string_view kUnit = "bytes=";
  const auto header = request.Header("range");
  if (!header || request.method != "GET" || !LoweredAscii(header->substr(0, kUnit.size())).starts_with(kUnit))
    return std::nullopt;
  const auto if_range = request.Header("if-range");
  if (if_range && !Holds(*if_range, current, now)) return std::nullopt;

  std::string_view rest = header->substr(kUnit.size());
  std::optional<Asked> only;
  std::size_t count = 0;
  bool has_bytes = false;
  while (!rest.empty()) {
    const std::string_view text = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), text.size() + 1));
    if (TrimmedBlanks(text).empty()) continue;
    only = ParseRange(TrimmedBlanks(text));
    if (!only) return std::nullopt;
    ++count;
    has_bytes = has_bytes || HasByteOf(*only, body_length);
  }
  if (count == 0) return std::nullopt;
  if (!has_bytes) {
    throw Error(ErrorKind::kRangeNotSatisfiable, "range_not_satisfiable")
        .With("Content-Range", "bytes */" + std::to_string(body_length));
  }
  if (count > 1 || body_length == 0) return std::nullopt;
  const std::uint64_t end = body_length - 1;
  if (!only->first) return ByteRange{body_length - std::min(*only->last, body_length), end, body_length};
  return ByteRange{*only->first, std::min(only->last.value_or(end), end), body_length};
}

Response Partial(Response response, const std::optional<ByteRange>& range) {
  response.With("Accept-Ranges", "bytes");
  if (!range) return response;
  response.status = 206;
  response.With("Content-Range", "bytes " + std::to_string(range->first) + '-' + std::to_string(range->last) +
                                     '/' + std::to_string(range->body_length));
  if (std::holds_alternative<BodyStream>(response.body)) response.length = range->Size();
  return response;
}

}  // namespace syncline
