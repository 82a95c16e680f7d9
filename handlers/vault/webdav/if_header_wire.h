#pragma once
// Headers of WebDAV (RFC 4918, section 10): If, Destination, Depth, Overwrite, Timeout, Lock-Token. Pure.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/conditional.h"
#include "handlers/base/request.h"

namespace syncline::vault {

/// One condition of a list: a state token, or an entity tag.
struct IfCondition {
  bool is_negated = false;
  std::string token{};         ///< empty: `etag` is meant
  std::optional<ETag> etag{};  ///< none: a malformed one, which matches nothing
};

struct IfList {
  std::optional<std::string> uri{};  ///< as sent; none: the address of the request
  std::vector<IfCondition> conditions{};
};

/// Lists are alternatives; the conditions of one must all hold.
struct IfHeader {
  static constexpr std::size_t kMaxConditions = 100;

  std::vector<IfList> lists{};

  /// All tokens of the header, of which the client thereby shows that it has them.
  std::vector<std::string> Tokens() const;
};

/// Throws Error BadInput "bad_if_header" on wrong syntax, or too many conditions.
IfHeader ParseIfHeader(std::string_view text);
/// That of the request; no lists: there is none.
IfHeader IfHeaderOf(const Request& request);

/// The decoded segments of an address of this server: "/dav/aula/a%20b", or the same with scheme and host. None: another host than the
/// request's, whose port and scheme do not matter, because they are those of the public edge. Throws Error BadInput "bad_destination".
std::optional<std::vector<std::string>> OwnSegments(std::string_view uri, const Request& request);

enum class Depth { kZero, kOne, kInfinity };
/// `fallback` without the header. Throws Error BadInput "bad_depth".
Depth DepthOf(const Request& request, Depth fallback);
/// True without the header. Throws Error BadInput "bad_overwrite".
bool OverwriteOf(const Request& request);
/// In seconds, within what is granted.
int TimeoutOf(const Request& request);
/// Of Lock-Token, without the angle brackets. Throws Error BadInput "bad_lock_token".
std::string LockTokenOf(const Request& request);

}  // namespace syncline::vault
