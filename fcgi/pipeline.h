#pragma once
// Everything that happens around a handler, in order. The list of stages with the reason of each is at the
// end of pipeline.cpp. Knows no FastCGI: a request comes as a value, the answer goes to an AnswerWriter.
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fcgi/request_metrics.h"
#include "fcgi/router.h"
#include "handlers/base/config.h"
#include "handlers/base/redis.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"
#include "sql/database.h"

namespace syncline::front {

/// Where the answer goes: Begin once, then Write as often as there is something.
class AnswerWriter : public BodySink {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;
  /// Throws Error when the client went away.
  virtual void Begin(int status, const Headers& headers) = 0;
  /// Ends the answer so that the web server sees that it is incomplete.
  virtual void Abort() noexcept = 0;
};

/// What all slots of a process share.
struct Front {
  const Config& config;
  Router router;
  /// False until the schema of the database has been seen and fits. Until then only routes that cannot touch
  /// the database (auth kPublic of the front's own dialect) are served.
  std::atomic<bool> schema_checked{false};
  /// True once the process was told to leave: streams end, nothing new is accepted.
  std::atomic<bool> leaving{false};
  std::string pool = "api";
  RequestMetrics metrics{config.metrics_dir, router, pool};
};

/// Serves one request from its first stage to its log line. Throws nothing. `request_problem` is what was
/// wrong with the request before it became one (an impossible length, a path that cannot be decoded).
void Serve(const Front& front, sql::Database& database, Redis& redis, Request& request, AnswerWriter& writer,
           const std::optional<Error>& request_problem) noexcept;

}  // namespace syncline::front
