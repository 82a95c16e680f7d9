#pragma once
// Cookies (RFC 6265): reading one, setting one. For pages that a browser logs in to; API clients send tokens in
// headers. Left out on purpose: the attributes Domain, which gives a cookie to neighbours, and Expires, which
// Max-Age has replaced.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "handlers/base/request.h"

namespace syncline {

/// The cookie of that name as the browser sent it; of several the first, which has the longest path. Any bytes:
/// what it means is up to who has set it.
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
  std::optional<std::chrono::seconds> max_age{};  ///< none: until the browser closes; 0: gone now
  bool is_secure = true;
  bool is_http_only = true;
  SameSite same_site = SameSite::kLax;
};

/// The value of a Set-Cookie header. Characters that RFC 6265 does not allow, a negative age, a path without its
/// slash, more than 4096 bytes, SameSite=None without Secure, and __Host- or __Secure- names that do not keep
/// their promise are Error Internal: cookies are made by us.
std::string PrintCookie(const Cookie& cookie);

}  // namespace syncline
