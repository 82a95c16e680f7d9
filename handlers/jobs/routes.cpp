// Jobs over HTTP, in the dialect of Syncline's own API.
#include "handlers/jobs/routes.h"

#include "handlers/account/api_dialect.h"
#include "handlers/jobs/job_handlers.h"

namespace syncline::jobs {
namespace {

using namespace std::chrono_literals;

constexpr account::CodeText kTexts[] = {
    {"no_such_job", "There is no such job, or it is somebody else's."},
    {"not_your_job", "Only the account that started a job may cancel it."},
    {"job_finished", "The job is finished already."},
};

Response RenderError(const Error& error, const Request& request) {
  return account::RenderApiError(error, request, kTexts);
}

const Dialect kDialect{
    .service = "jobs", .authenticate = account::AuthenticateApi, .render_error = RenderError};

constexpr auto kRead = sql::Access::kRead;
constexpr auto kWrite = sql::Access::kWrite;
constexpr auto kQuick = 10s;
// Above the longest stream and the wait for a slot. nginx bounds only the time between two bytes.
constexpr auto kStream = 90s;

// Method, path, operation, auth, database access, body limit in bytes, deadline, handler, dialect.
const Route kRoutes[] = {
    {"GET", "/jobs/{id}", "jobs.get", Auth::kRequired, kRead, 0, kQuick, GetJob, &kDialect},
    {"POST", "/jobs/{id}/cancel", "jobs.cancel", Auth::kRequired, kWrite, 1 << 10, kQuick, PostCancel,
     &kDialect},
    {"GET", "/jobs/{id}/events", "jobs.events", Auth::kRequired, kRead, 0, kStream, GetJobEvents, &kDialect},
};

}  // namespace

std::span<const Route> Routes() {
  return kRoutes;
}

}  // namespace syncline::jobs
