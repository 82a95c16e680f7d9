#pragma once
// The project's one error type: a protocol-independent kind, a short public code, a private text for the log.
//
// Handlers, stores and wire code throw it; the pipeline answers it, and the worker fails the attempt. The
// kind decides the status (StatusOf), the dialect the body. Private text never leaves the machine.
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace syncline {

enum class ErrorKind {
  kBadInput,              ///< 400
  kUnauthenticated,       ///< 401
  kForbidden,             ///< 403
  kNotFound,              ///< 404, also for what belongs to another account
  kMethodNotAllowed,      ///< 405
  kConflict,              ///< 409
  kPreconditionFailed,    ///< 412: an If-* condition does not hold
  kTooLarge,              ///< 413
  kUnsupportedMedia,      ///< 415: a body of a type or coding that we do not accept
  kRangeNotSatisfiable,   ///< 416
  kUnprocessable,         ///< 422: well-formed, but its values are refused
  kLocked,                ///< 423, of WebDAV
  kHttpsRequired,         ///< 426: a password over plain HTTP; nginx/site.conf.in decides
  kPreconditionRequired,  ///< 428: an If-* condition is missing
  kTooMany,               ///< 429, with Retry-After
  kUnsupported,           ///< 501
  kUpstream,              ///< 502
  kBusy,                  ///< 503, with Retry-After: the database, Redis or storage fails, or too much load
  kStorageFull,           ///< 507, of WebDAV: over the quota, or no room on the disk
  kInternal,              ///< 500
};

/// The status of a kind in plain HTTP. A dialect may choose another one (Dialect::render_error).
int StatusOf(ErrorKind kind);
/// The kind with this status; kInternal if there is none.
ErrorKind KindOf(int status);

class Error : public std::runtime_error {
 public:
  /// `code` is snake_case and public; `private_text` goes to the log.
  Error(ErrorKind kind, std::string code, const std::string& private_text = "")
      : std::runtime_error(private_text.empty() ? code : private_text), kind_(kind), code_(std::move(code)) {}

  ErrorKind kind() const { return kind_; }
  const std::string& code() const { return code_; }
  std::optional<std::chrono::seconds> retry_after() const { return retry_after_; }
  const std::vector<std::pair<std::string, std::string>>& headers() const { return headers_; }
  Error&& RetryAfter(std::chrono::seconds seconds) && {
    retry_after_ = seconds;
    return std::move(*this);
  }
  /// A header of the answer, such as Allow of a 405 or Content-Range of a 416.
  Error&& With(std::string name, std::string value) && {
    headers_.emplace_back(std::move(name), std::move(value));
    return std::move(*this);
  }

 private:
  ErrorKind kind_;
  std::string code_;
  std::optional<std::chrono::seconds> retry_after_;
  std::vector<std::pair<std::string, std::string>> headers_;
};

/// Not an error: thrown by a handler that has changed nothing yet. nginx redirects the request internally to
/// this location, which another pool serves.
struct HandOver {
  std::string location;
};

inline Error BadInput(std::string code, const std::string& text = "") {
  return {ErrorKind::kBadInput, std::move(code), text};
}
/// A missing or invalid login: log in again. A dialect may use another status than 401.
inline Error Unauthenticated(std::string code, const std::string& text = "") {
  return {ErrorKind::kUnauthenticated, std::move(code), text};
}
inline Error NotFound(std::string code, const std::string& text = "") {
  return {ErrorKind::kNotFound, std::move(code), text};
}
/// The account was disabled or removed while one of its requests was in flight.
inline Error AccountGone() {
  return {ErrorKind::kUnauthenticated, "account_gone", ""};
}
inline Error Forbidden(std::string code, const std::string& text = "") {
  return {ErrorKind::kForbidden, std::move(code), text};
}
inline Error Conflict(std::string code, const std::string& text = "") {
  return {ErrorKind::kConflict, std::move(code), text};
}
inline Error TooLarge(std::string code, const std::string& text = "") {
  return {ErrorKind::kTooLarge, std::move(code), text};
}
inline Error StorageFull(std::string code, const std::string& text = "") {
  return {ErrorKind::kStorageFull, std::move(code), text};
}
/// The client has disconnected and the request is dropped, so no client ever sees this. It is Busy, because
/// the request itself is valid and its session continues.
inline Error ClientGone(const std::string& text) {
  return {ErrorKind::kBusy, "client_gone", text};
}
inline Error Busy(std::string code, const std::string& text = "") {
  return Error(ErrorKind::kBusy, std::move(code), text).RetryAfter(std::chrono::seconds(5));
}

}  // namespace syncline
