#include "handlers/jobs/job_handlers.h"

#include <chrono>
#include <string>
#include <utility>

#include "handlers/base/errors.h"
#include "handlers/base/events.h"
#include "handlers/base/json.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/timestamp.h"
#include "handlers/jobs/own_job_store.h"

namespace syncline::jobs {
namespace {

using namespace std::chrono_literals;

// The worker writes progress once a second.
constexpr auto kLook = 500ms;

JobId IdOf(const Request& request) {
  const auto id = WholeNumber(request.PathParam("id"));
  if (!id) throw NotFound("no_such_job");
  return JobId{*id};
}

OwnJob Find(Context& context, JobId id) {
  auto job = context.ReadOnce<OwnJobStore>(
      [&](OwnJobStore& jobs) { return jobs.Find(id, context.device(), context.roles()); });
  if (!job) throw NotFound("no_such_job");
  return *std::move(job);
}

bool IsFinished(const OwnJob& job) {
  return job.finished_at.has_value();
}

// The states for people: whether the job waits for its turn, or for a retry.
std::string_view StateOf(const OwnJob& job) {
  if (job.state == "waiting") return job.attempts > 0 ? "retrying" : "queued";
  if (job.state == "dead") return "failed";
  return job.state;
}

std::optional<std::string> Printed(const std::optional<sql::Time>& time) {
  return time ? std::optional(PrintTimestamp(*time)) : std::nullopt;
}

std::string Json(const OwnJob& job) {
  return JsonWriter()
      .Object()
      .Add("id", static_cast<std::int64_t>(job.id))
      .Add("kind", job.kind)
      .Add("state", StateOf(job))
      .Add("done", job.done)
      .Add("total", job.total)
      .Add("message", job.message)
      .Add("attempts", job.attempts)
      .Add("cancel_requested", job.cancel_requested)
      .Add("created_at", PrintTimestamp(job.created_at))
      .Add("started_at", Printed(job.started_at))
      .Add("finished_at", Printed(job.finished_at))
      .Finish();
}

}  // namespace

Response GetJob(Request& request, Context& context) {
  return Response::Json(200, Json(Find(context, IdOf(request)))).With("Cache-Control", "no-store");
}

Response PostCancel(Request& request, Context& context) {
  const JobId id = IdOf(request);
  const bool is_cancelled =
      context.Write<OwnJobStore>([&](OwnJobStore& jobs) { return jobs.Cancel(id, context.roles()); });
  const OwnJob job = Find(context, id);
  if (is_cancelled) return Response::Json(202, Json(job));
  if (IsFinished(job)) throw Conflict("job_finished");
  throw Forbidden("not_your_job");
}

Response GetJobEvents(Request& request, Context& context) {
  const JobId id = IdOf(request);
  Find(context, id);  // a 404, and not a stream that ends
  return EventStream([&context, id](EventSender& events) {
    SendProgress(context, events, kLook, [&]() -> std::optional<ProgressSeen> {
      const OwnJob job = Find(context, id);
      std::string json = Json(job);
      return ProgressSeen{.stamp = json, .json = std::move(json), .is_over = IsFinished(job)};
    });
  });
}

}  // namespace syncline::jobs
