#pragma once
// Everything that happens around a handler, in order. The list of stages, with the reason for each, is at the
// end of pipeline.cpp. Independent of FastCGI: a request is a value, the answer goes to an AnswerWriter.
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fcgi/account_turns.h"
#include "fcgi/request_metrics.h"
#include "fcgi/router.h"
#include "handlers/base/config.h"
#include "handlers/base/redis.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"
#include "sql/database.h"

namespace syncline::front {

/// Receives the answer: one Begin, then any number of Writes.
class AnswerWriter : public BodySink {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;
  /// Throws Error if the client disconnected.
  virtual void Begin(int status, const Headers& headers) = 0;
  /// Ends the answer so that the web server sees that it is incomplete.
  virtual void Abort() noexcept = 0;
  /// Whether the client has disconnected, so that nobody will read the answer.
  virtual bool IsClientGone() const noexcept { return false; }
};

/// State shared by all slots of a process.
struct Front {
  const Config& config;
  Router router;
  /// False until the database's schema has been checked successfully. Until then only the front's own routes
  /// are served.
  std::atomic<bool> schema_checked{false};
  /// True once the process was told to stop: streams end, no new connections are accepted.
  std::atomic<bool> leaving{false};
  std::string pool = "api";
  RequestMetrics metrics{config.metrics_dir, router, pool};
  AccountTurns turns{};
};

/// Serves one request from its first stage to its log line. `request_problem`: what was wrong with the
/// request itself (an impossible length, a path that cannot be decoded). False: the request must be parked, and served
/// again when its account's turn has come (`visit.account`); nothing has been sent or logged.
bool Serve(Front& front, sql::Database& database, Redis& redis, Request& request, AnswerWriter& writer,
           const std::optional<Error>& request_problem, Visit& visit) noexcept;

}  // namespace syncline::front
