#pragma once
// Byte ranges of a body (RFC 9110, section 14). One range is answered with 206; several are answered with the
// whole body, as 14.2 allows: no client of ours needs multipart/byteranges, and many small ranges cost more
// than the whole.
//
//   const auto range = RangeOf(request, current, blob.size);  // after Evaluate
//   return Partial(Response::Stream(...range..., blob.size), range);
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "handlers/base/conditional.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline {

/// Both ends are inside the body.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;         ///< inclusive
  std::uint64_t body_length = 0;  ///< of the whole body
  std::uint64_t Size() const { return last - first + 1; }
};

/// The range to send of a body of that length; none: all of it. None without a Range, with a method other
/// than GET, a unit other than bytes, several or malformed ranges, an If-Range that does not hold (an entity
/// tag compares strongly; a date must be that of the last change, a second or more before `now`), and a
/// suffix range of an empty body. Throws Error RangeNotSatisfiable "range_not_satisfiable", with its
/// Content-Range, if no range has a byte of the body.
std::optional<ByteRange> RangeOf(
    const Request& request, const Current& current, std::uint64_t body_length,
    std::chrono::system_clock::time_point now = std::chrono::system_clock::now());

/// Turns a 200 whose body is that range into a 206. Always adds Accept-Ranges.
Response Partial(Response response, const std::optional<ByteRange>& range);

}  // namespace syncline
