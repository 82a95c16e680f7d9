#pragma once
// A route is a row: what the front door must know to admit a request without asking the handler. A dialect is
// what a protocol wants differently: how to authenticate, how an error looks, which headers are always there.
#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "handlers/base/context.h"
#include "handlers/base/errors.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline {

struct Dialect {
  const char* service;  ///< name in log lines
  /// Who is asking. Throws Error with the kind that this protocol's clients understand as "log in again".
  /// Null: the service has public routes only.
  Identity (*authenticate)(const Request& request, Context& context);
  /// Body and headers of an error; the status is StatusOf(error.kind()). Must not fail.
  Response (*render_error)(const Error& error, const Request& request);
  /// Sent with every answer of the service.
  std::span<const std::pair<std::string_view, std::string_view>> fixed_headers;
};

/// Bytes of a body: a number of them, or a setting in MiB.
class BodyLimit {
 public:
  template <typename Integer>
  requires std::is_integral_v<Integer>
  constexpr BodyLimit(Integer bytes) : bytes_(static_cast<std::size_t>(bytes)) {}
  constexpr BodyLimit(std::int64_t Config::*mib) : mib_(mib) {}
  std::size_t Bytes(const Config& config) const {
    return mib_ == nullptr ? bytes_ : static_cast<std::size_t>(config.*mib_) << 20;
  }

 private:
  std::size_t bytes_ = 0;
  std::int64_t Config::*mib_ = nullptr;
};

enum class Auth { kPublic, kRequired };

/// Rows are written without the names of the fields, so their order is part of what one has to know.
struct Route {
  const char* method;     ///< "POST"; another one on this path is a 405
  const char* pattern;    ///< "/sync/meta", "/v1/decks/{deck}"; a {name} is one path segment
  const char* operation;  ///< "anki.meta": in the log, in metrics, in the names of tests
  Auth auth;              ///< kRequired: the dialect says who is asking, or refuses
  /// What the handler may do to the database. kRead: a Write inside throws, so a read that writes fails in
  /// the first test.
  sql::Access access;
  /// Bytes of the body as they arrive, before decompression; more is a 413. nginx has a limit of its own for
  /// the location, which must not be smaller.
  BodyLimit body_limit;
  /// Counted from when the request is here. Reading the body or running a statement after it is a 503.
  std::chrono::milliseconds deadline;
  Response (*handler)(Request& request, Context& context);
  const Dialect* dialect;  ///< how this protocol logs in and shows errors
};

}  // namespace syncline
