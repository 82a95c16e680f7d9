#pragma once
// Conditional requests (RFC 9110, section 13): entity tags, If-Match, If-None-Match, If-Modified-Since,
// If-Unmodified-Since, and HTTP dates. A handler compares inside its transaction, after it has locked what it
// is going to change:
//
//   const Conditions conditions(request);
//   ctx.Write<DeckStore>([&](DeckStore& decks) {
//     const auto revision = decks.LockDeck(deck);
//     Check(conditions, {.exists = true, .etag = ETag::Of(revision)});
//
// Left out on purpose: the If header of WebDAV (RFC 4918, 10.4), which belongs to the vault.
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

  /// A strong tag. Throws Error Internal unless `opaque` is printable ASCII without spaces and quotes.
  static ETag Of(std::string opaque);
  /// "7" for revision 7.
  template <std::integral T>
  static ETag Of(T revision) {
    return Of(std::to_string(revision));
  }
  /// As in headers: "7", W/"7".
  std::string Print() const;
};

/// The strong comparison, for If-Match and If-Range.
bool IsSameStrongly(const ETag& a, const ETag& b);
/// The weak comparison, for If-None-Match.
bool IsSameWeakly(const ETag& a, const ETag& b);

/// Parses one entity tag of a header; none if malformed.
std::optional<ETag> ParseETag(std::string_view text);

/// Parses an HTTP date, "Sun, 06 Nov 1994 08:49:37 GMT" or one of the two obsolete forms (RFC 9110, 5.6.7);
/// none if malformed. A two-digit year is at most 50 years after `now`. The day of the week is not compared
/// with the date.
std::optional<std::chrono::sys_seconds> ParseHttpDate(
    std::string_view text, std::chrono::system_clock::time_point now = std::chrono::system_clock::now());
/// For years from 0 to 9999.
std::string PrintHttpDate(std::chrono::sys_seconds time);
inline std::string PrintHttpDate(std::chrono::system_clock::time_point time) {
  return PrintHttpDate(std::chrono::floor<std::chrono::seconds>(time));
}

/// The value of If-Match or If-None-Match.
struct ETagList {
  bool is_any = false;  ///< "*"
  std::vector<ETag> tags{};
};

/// The conditions of a request.
struct Conditions {
  Conditions() = default;
  /// Throws Error BadInput "bad_etag" on a malformed If-Match or one of more than kMaxTags tags: ignoring it
  /// could overwrite what the client wanted to keep. A malformed If-None-Match matches nothing: Joplin sends
  /// `JoplinIgnore-<number>` with every PUT. Malformed dates are ignored (RFC 9110, 13.1.3 and 13.1.4).
  explicit Conditions(const Request& request);

  static constexpr std::size_t kMaxTags = 100;

  bool is_read = false;  ///< GET or HEAD
  std::optional<ETagList> if_match{};
  std::optional<ETagList> if_none_match{};
  std::optional<std::chrono::sys_seconds> if_modified_since{};
  std::optional<std::chrono::sys_seconds> if_unmodified_since{};
};

/// The current state of the resource, which the conditions are compared with.
struct Current {
  bool exists = false;
  std::optional<ETag> etag{};
  std::optional<std::chrono::system_clock::time_point> modified_at{};  ///< fractions of a second are ignored
};

enum class Outcome {
  kProceed,
  kNotModified,  ///< of GET and HEAD only: answer with NotModified
};

/// Evaluates in the order of RFC 9110, 13.2.2. Throws Error PreconditionFailed "precondition_failed" if a
/// condition of a change does not hold, or If-Match or If-Unmodified-Since of a read.
[[nodiscard]] Outcome Evaluate(const Conditions& conditions, const Current& current);
/// As Evaluate, for changes, which are never "not modified".
void Check(const Conditions& conditions, const Current& current);

/// A 304 with the current entity tag and date.
Response NotModified(const Current& current);

/// For routes that forbid blind changes: throws Error PreconditionRequired "precondition_required" (RFC 6585)
/// unless there is a condition that protects what exists: If-Match, `If-None-Match: *`, or If-Unmodified-Since
/// for a resource with a date.
void RequireCondition(const Conditions& conditions, const Current& current);

}  // namespace syncline
