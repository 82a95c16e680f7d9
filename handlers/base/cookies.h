#pragma once
// Reads and writes cookies (RFC 6265), for browser logins; API clients send tokens in headers. Left out on
// purpose: the attributes Domain, which exposes a cookie to sibling hosts, and Expires, which Max-Age has
// replaced.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "handlers/base/request.h"

namespace syncline {

/// The cookie of that name as the browser sent it; if there are several, the first, which has the longest
/// path. It may hold any bytes: the caller must validate it.
std::optional<std::string_view> CookieOf(const Request& request, std::string_view name);

enum class SameSite {
  kStrict,
  kLax,
  kNone,  ///< needs Secure
};

struct Cookie {
  std::string name;
  std::string value{};
  std::string path = "/";
  std::optional<std::chrono::seconds> max_age{};  ///< none: until the browser closes; 0: deletes it
  bool is_secure = true;
  bool is_http_only = true;
  SameSite same_site = SameSite::kLax;
};

/// The value of a Set-Cookie header. Throws Error Internal, because cookies are our own, on characters that
/// RFC 6265 does not allow, a negative age, a path without its slash, more than 4096 bytes, SameSite=None
/// without Secure, and __Host- or __Secure- names whose requirements are not met.
std::string PrintCookie(const Cookie& cookie);

}  // namespace syncline
