#pragma once
// Conditional requests (RFC 9110, section 13): entity tags, If-Match, If-None-Match, If-Modified-Since,
// If-Unmodified-Since, and dates of HTTP. A handler compares inside its transaction, after it has locked what it
// is going to change:
//
//   const Conditions conditions(request);
//   ctx.Write<DeckStore>([&](DeckStore& decks) {
//     const auto revision = decks.LockDeck(deck);
//     Check(conditions, {.exists = true, .etag = ETag::Of(revision)});
//
// Left out on purpose: the If header of WebDAV (RFC 4918, 10.4), which is the vault's.
#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline {

struct ETag {
  std::string opaque;  ///< without the quotes
  bool is_weak = false;

  /// A strong one. `opaque`: printable ASCII without quotes, or it is Error Internal.
  static ETag Of(std::string opaque);
  /// "7" for revision 7.
  template <std::integral T>
  static ETag Of(T revision) {
    return Of(std::to_string(revision));
  }
  /// As headers have it: "7", W/"7".
  std::string Print() const;
};

/// Both strong, and the same. For If-Match and If-Range.
bool IsSameStrongly(const ETag& a, const ETag& b);
/// The same, weak or not. For If-None-Match.
bool IsSameWeakly(const ETag& a, const ETag& b);

/// One entity tag as it stands in a header; none: malformed.
std::optional<ETag> ParseETag(std::string_view text);

/// The dates that HTTP has in its headers, "Sun, 06 Nov 1994 08:49:37 GMT" and the two forms of old (RFC 9110,
/// 5.6.7). None: no date. A year of two digits is at most 50 years after `now`. The day of the week is not
/// compared with the date.
std::optional<std::chrono::sys_seconds> ParseHttpDate(
    std::string_view text, std::chrono::system_clock::time_point now = std::chrono::system_clock::now());
/// For years from 0 to 9999.
std::string PrintHttpDate(std::chrono::sys_seconds time);
inline std::string PrintHttpDate(std::chrono::system_clock::time_point time) {
  return PrintHttpDate(std::chrono::floor<std::chrono::seconds>(time));
}

/// What stands in If-Match or If-None-Match.
struct ETagList {
  bool is_any = false;  ///< "*"
  std::vector<ETag> tags{};
};

/// What a request makes its conditions.
struct Conditions {
  Conditions() = default;
  /// A malformed If-Match is Error BadInput "bad_etag", as is one of more than kMaxTags: to ignore it would
  /// overwrite what the client wanted to keep. A malformed If-None-Match matches nothing: Joplin sends
  /// `JoplinIgnore-<number>` with every PUT. Malformed dates are ignored (RFC 9110, 13.1.3 and 13.1.4).
  explicit Conditions(const Request& request);

  static constexpr std::size_t kMaxTags = 100;

  bool is_read = false;  ///< GET or HEAD
  std::optional<ETagList> if_match{};
  std::optional<ETagList> if_none_match{};
  std::optional<std::chrono::sys_seconds> if_modified_since{};
  std::optional<std::chrono::sys_seconds> if_unmodified_since{};
};

/// What the conditions are compared with: the resource as it is now.
struct Current {
  bool exists = false;
  std::optional<ETag> etag{};
  std::optional<std::chrono::system_clock::time_point> modified_at{};  ///< fractions of a second do not count
};

enum class Outcome {
  kProceed,
  kNotModified,  ///< of GET and HEAD only: answer with NotModified
};

/// In the order of RFC 9110, 13.2.2. Error PreconditionFailed "precondition_failed" when a condition of a
/// change does not hold, or If-Match or If-Unmodified-Since of a read.
[[nodiscard]] Outcome Evaluate(const Conditions& conditions, const Current& current);
/// As Evaluate, for changes, which never are "not modified".
void Check(const Conditions& conditions, const Current& current);

/// 304, with the entity tag and date of what the client has.
Response NotModified(const Current& current);

/// For a route that changes nothing unseen: Error PreconditionRequired "precondition_required" (RFC 6585) unless
/// there is a condition that Evaluate compares with what exists: If-Match, `If-None-Match: *`, or
/// If-Unmodified-Since for a resource with a date.
void RequireCondition(const Conditions& conditions, const Current& current);

}  // namespace syncline
