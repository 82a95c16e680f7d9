#pragma once
// A route is a row: what the front must know to admit a request without asking the handler. A dialect is what
// differs between protocols: authentication, the format of errors, fixed headers.
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "handlers/base/context.h"
#include "handlers/base/errors.h"
#include "handlers/base/rate_limit.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline {

/// Which pages of other origins may read a protocol's answers (the Fetch standard's CORS protocol). The front
/// answers preflights: no route needs a row for them.
struct Cors {
  /// `origin`: the header as received, "https://example.org". It is sent back exactly, never "*".
  bool (*allows)(std::string_view origin, const Config& config);
  /// Names of headers that requests may carry and pages may read, separated by ", ".
  std::string_view request_headers, exposed_headers;
  bool has_credentials = false;  ///< cookies and Basic logins that the browser adds
};

struct Dialect {
  const char* service;  ///< name in log lines
  /// Identifies the caller. No value: the request carries no login at all. Throws Unauthenticated on an
  /// invalid one. Null: the service has public routes only.
  std::optional<Identity> (*authenticate)(Request& request, Context& context) = nullptr;
  /// For a protocol with clients that send their login in the body, which the authorizer does not see:
  /// whether this is such a request, whose body is then taken before its sender is known. Throws if it must
  /// not be taken. Null: all logins are in the headers.
  bool (*has_login_in_body)(Request& request, Context& context) = nullptr;
  /// The whole answer to an error: the status, StatusOf(error.kind()) unless this protocol's clients expect
  /// another one; headers; body. The front adds the error's own headers and Retry-After. Must not fail.
  Response (*render_error)(const Error& error, const Request& request) = nullptr;
  /// Sent with every answer of the service.
  std::span<const std::pair<std::string_view, std::string_view>> fixed_headers = {};
  /// Null: no page of another origin may read anything.
  const Cors* cors = nullptr;
  /// A path that matches no route, but would with a trailing slash added or removed, gets a 307 to that path,
  /// as in Starlette.
  bool redirects_slashes = false;
  /// Trailing and repeated slashes are ignored: for clients that append a path to a base URL typed by a
  /// person. Patterns of such a dialect end without a slash.
  bool ignores_slashes = false;
  /// Paths contain secrets, so a path that matches no route is not logged.
  bool has_secret_paths = false;
};

/// Maximum size of a body: a number of bytes, or a function of the settings.
class BodyLimit {
 public:
  template <typename Integer>
  requires std::is_integral_v<Integer>
  constexpr BodyLimit(Integer bytes) : bytes_(static_cast<std::size_t>(bytes)) {}
  constexpr BodyLimit(std::size_t (*of)(const Config& config)) : of_(of) {}
  std::size_t Bytes(const Config& config) const { return of_ == nullptr ? bytes_ : of_(config); }

 private:
  std::size_t bytes_ = 0;
  std::size_t (*of_)(const Config& config) = nullptr;
};

/// kOptional: without a login the caller is UserId 0; an invalid login is refused.
enum class Auth { kPublic, kOptional, kRequired };

/// How often one account, or one network of unknown callers, may call a route. Refusals are 429 with
/// Retry-After.
struct CallLimit {
  RateLimit rate;
  enum class Per { kAccount, kNetwork } per = Per::kAccount;
  /// Whether calls are admitted without counting while Redis is down. False: they get 503.
  bool is_open_without_redis = true;
};

/// Rows are written without the names of the fields, so their order must not change.
struct Route {
  /// Any HTTP token, "POST", "PROPFIND"; another one on this path is a 405. WebDAV needs rows for OPTIONS; a
  /// browser's preflight is answered by the front (Cors).
  const char* method;
  const char* pattern;    ///< "/sync/meta", "/v1/decks/{deck}", "/dav/{path...}" (see fcgi/router.h)
  const char* operation;  ///< "anki.meta": in the log, in metrics, in the names of tests
  Auth auth;              ///< who may call; the dialect identifies the caller
  /// What the handler may do to the database. kRead: a Write inside throws, so a read that writes fails in
  /// the first test.
  sql::Access access;
  /// Bytes of the body as received, before decompression; more is a 413. nginx has its own limit for the
  /// location, which must not be smaller. 0: any body is a 413, even before the login.
  BodyLimit body_limit;
  /// From the arrival of the request. Reading the body or running a statement after it is a 503.
  std::chrono::milliseconds deadline;
  Response (*handler)(Request& request, Context& context);
  const Dialect* dialect;  ///< authentication and errors of this protocol

  // Optional; set as in Route{...}.Needing(Roles::kAdmin).

  /// Roles that the account needs, all of them; otherwise 403 "role_missing". Only with kRequired.
  Roles roles = Roles::kNone;
  /// Runs before the login, for protocols that validate a body first (422 without a token). It stores what it
  /// parsed with Request::Keep.
  void (*before_login)(Request& request, Context& context) = nullptr;
  std::optional<CallLimit> limit = std::nullopt;

  constexpr Route Needing(Roles needed) const {
    Route route = *this;
    route.roles = needed;
    return route;
  }
  constexpr Route ParsingFirst(void (*parse)(Request& request, Context& context)) const {
    Route route = *this;
    route.before_login = parse;
    return route;
  }
  constexpr Route Limited(CallLimit calls) const {
    Route route = *this;
    route.limit = calls;
    return route;
  }
};

}  // namespace syncline
