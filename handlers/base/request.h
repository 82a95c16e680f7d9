#pragma once
// A request as handlers see it: plain values, and a body that is read once, as a stream. Independent of
// FastCGI.
#include <any>
#include <cstddef>
#include <forward_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace syncline {

/// The source of a body's bytes.
class BodySource {
 public:
  virtual ~BodySource() = default;
  /// Fills up to `size` bytes and returns how many; 0 at the end. Throws Error if the client disconnected.
  virtual std::size_t Read(char* buffer, std::size_t size) = 0;
};

/// "%41" becomes "A". Throws Error BadInput "bad_percent_encoding" if a '%' is not followed by two hex
/// digits.
std::string PercentDecoded(std::string_view text, bool plus_is_space);

/// The part of a client's address that its owner cannot change at will: an IPv4 address, or the /64 of an
/// IPv6 one.
std::string NetworkOf(std::string_view remote_address);

struct Request {
  std::string id;      ///< request id, also sent to the client and logged
  std::string method;  ///< upper case
  std::string path;    ///< as sent: still percent-encoded, starts with '/', no query
  /// The path split at its slashes, each segment decoded: "/a%20b/" is {"a b", ""}. No segment is ".", ".."
  /// or contains a '/' or NUL, and all are UTF-8, so joining them by '/' is unambiguous.
  std::vector<std::string> segments;
  std::string query;                                         ///< raw, without '?'
  std::string remote_address;                                ///< of the client, as nginx saw it
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  std::vector<std::pair<std::string, std::string>> path_params;
  std::optional<std::size_t> content_length;  ///< none: unknown (chunked); the body ends where it ends
  BodySource* body = nullptr;                 ///< null: no body

  /// The first header of that name; nginx passes repeated ones on separately, unless it knows them.
  std::optional<std::string_view> Header(std::string_view lower_case_name) const;
  /// Value of a {name} or {name...} of the route's pattern, decoded. Throws Error Internal if the pattern has
  /// none of that name.
  std::string_view PathParam(std::string_view name) const;
  /// First value of a query parameter, percent-decoded. Throws Error BadInput "bad_query" if it is not UTF-8
  /// or contains a NUL.
  std::optional<std::string> Query(std::string_view name) const;
  /// The whole body. Throws Error TooLarge past `limit` bytes, and never reads more than one byte beyond it.
  std::string ReadBody(std::size_t limit);

  /// Keeps data parsed from this request for later stages and the handler, at most one value of each type, so
  /// that nothing is parsed twice.
  template <typename T>
  const T& Keep(T value) {
    return std::any_cast<const T&>(kept.emplace_front(std::move(value)));
  }
  /// The value of this type that Keep has stored; null if none.
  template <typename T>
  const T* Kept() const {
    for (const std::any& thing : kept) {
      if (const T* found = std::any_cast<T>(&thing)) return found;
    }
    return nullptr;
  }
  std::forward_list<std::any> kept;  ///< for Keep and Kept
  /// Everything that the handler needs from the body has been read and kept, so the request can be served
  /// again.
  bool is_body_kept = false;
};

/// "/a%20b/" becomes {"a%20b", ""}; nothing is checked.
std::vector<std::string> RawSegments(std::string_view raw_path);

/// "/a%20b/" becomes {"a b", ""}. Throws Error BadInput "bad_percent_encoding", or "bad_path" if it does not
/// start with '/', or a segment is "." or "..", contains an encoded '/' or NUL, or is not UTF-8.
std::vector<std::string> PathSegments(std::string_view raw_path);

}  // namespace syncline
