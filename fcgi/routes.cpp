#include "fcgi/routes.h"

#include <string>

#include "fcgi/metrics_handlers.h"
#include "handlers/services.h"
#include "sql/migrate.h"
#include "sql/queries/front.h"

namespace syncline::front {
namespace {

Response RenderError(const Error& error, const Request& request) {
  return Response::Text(StatusOf(error.kind()), error.code() + " " + request.id + "\n");
}

class SchemaStore {
 public:
  SchemaStore(sql::Tx& tx, UserId) : tx_(tx) {}
  std::int64_t LatestMigration() {
    return tx_.One(sql::front::latest_migration)["number"].As<std::int64_t>();
  }

 private:
  sql::Tx& tx_;
};

// GET /healthz -- the process answers. For the supervisor: does not depend on the database or Redis.
Response GetHealthz(Request&, Context&) {
  return Response::Text(200, "ok\n");
}

// GET /readyz -- the database answers and has our schema or a newer one; 503 otherwise. For load balancers.
Response GetReadyz(Request&, Context& ctx) {
  const std::int64_t found =
      ctx.Read<SchemaStore>([](SchemaStore& schema) { return schema.LatestMigration(); });
  const std::int64_t needed = sql::Migrations().empty() ? 0 : sql::Migrations().back().number;
  if (found < needed) throw Busy("schema_too_old", "migration " + std::to_string(needed) + " is missing");
  return Response::Text(200, "ready\n");
}

}  // namespace

const Dialect kFrontDialect{.service = "front", .render_error = RenderError};

namespace {

using namespace std::chrono_literals;

const Route kRoutes[] = {
    {"GET", "/healthz", "front.healthz", Auth::kPublic, sql::Access::kRead, 0, 5s, GetHealthz,
     &kFrontDialect},
    {"GET", "/metrics", "front.metrics", Auth::kPublic, sql::Access::kRead, 0, 10s, GetMetrics,
     &kFrontDialect},
    {"GET", "/readyz", "front.readyz", Auth::kPublic, sql::Access::kRead, 0, 5s, GetReadyz, &kFrontDialect},
};

}  // namespace

std::vector<std::span<const Route>> AllRoutes() {
  std::vector<std::span<const Route>> all{kRoutes};
  for (const Service* service : Services()) {
    if (!service->routes.empty()) all.push_back(service->routes);
  }
  return all;
}

}  // namespace syncline::front
