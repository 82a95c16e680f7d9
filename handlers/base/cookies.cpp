#include "handlers/base/cookies.h"

#include <algorithm>

#include "handlers/base/errors.h"
#include "handlers/base/header_values.h"

namespace syncline {
namespace {

// The size that every browser supports (RFC 6265, 6.1).
constexpr std::size_t kMaxBytes = 4096;

bool IsVisible(char c) {
  return c > ' ' && c < '\x7f';
}
bool IsOfName(char c) {
  return IsVisible(c) && std::string_view("()<>@,;:\\\"/[]?={}").find(c) == std::string_view::npos;
}
bool IsOfValue(char c) {
  return IsVisible(c) && std::string_view("\",;\\").find(c) == std::string_view::npos;
}
bool IsOfPath(char c) {
  return IsVisible(c) && c != ';';
}

bool AllOf(std::string_view text, bool (*is_good)(char)) {
  return std::all_of(text.begin(), text.end(), is_good);
}

}  // namespace

std::optional<std::string_view> CookieOf(const Request& request, std::string_view name) {
  std::string_view rest = request.Header("cookie").value_or("");
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    if (equals == pair.npos || TrimmedBlanks(pair.substr(0, equals)) != name) continue;
    return TrimmedBlanks(pair.substr(equals + 1));
  }
  return std::nullopt;
}

std::string PrintCookie(const Cookie& cookie) {
  const auto require = [&](bool condition, const char* rule) {
    if (!condition) throw Error(ErrorKind::kInternal, "internal", "cookie " + cookie.name + ": " + rule);
  };
  require(!cookie.name.empty() && AllOf(cookie.name, IsOfName), "its name");
  require(AllOf(cookie.value, IsOfValue), "characters of its value");
  require(cookie.path.starts_with('/') && AllOf(cookie.path, IsOfPath), "its path");
  require(!cookie.max_age || cookie.max_age->count() >= 0, "a negative age");
  require(cookie.is_secure || cookie.same_site != SameSite::kNone, "SameSite=None without Secure");
  require(cookie.is_secure || !(cookie.name.starts_with("__Host-") || cookie.name.starts_with("__Secure-")),
          "its name requires Secure");
  require(cookie.path == "/" || !cookie.name.starts_with("__Host-"), "its name requires the path /");

  std::string text = cookie.name + '=' + cookie.value + "; Path=" + cookie.path;
  if (cookie.max_age) text += "; Max-Age=" + std::to_string(cookie.max_age->count());
  if (cookie.is_secure) text += "; Secure";
  if (cookie.is_http_only) text += "; HttpOnly";
  text += cookie.same_site == SameSite::kStrict ? "; SameSite=Strict"
          : cookie.same_site == SameSite::kLax  ? "; SameSite=Lax"
                                                : "; SameSite=None";
  require(text.size() <= kMaxBytes, "too long");
  return text;
}

}  // namespace syncline
