#include "handlers/anime/sync_handlers.h"

#include "handlers/anime/jikan.h"
#include "handlers/anime/settings.h"
#include "handlers/anime/sync_flow.h"
#include "handlers/anime/sync_store.h"
#include "handlers/anime/title_rules.h"
#include "handlers/base/detail_errors.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/parameter_input.h"
#include "handlers/base/sha256.h"

namespace syncline::anime {
namespace {

constexpr std::int64_t kShortTop = 5;
// The same text is rarely searched for again.
constexpr std::chrono::minutes kSearchKept{10};

Response Answer(const std::optional<ProxiedAnswer>& found) {
  if (!found) throw NotFound("not_at_jikan");
  Response answer = Response::Json(200, found->data);
  if (found->age_seconds > 0) answer.With("Age", std::to_string(found->age_seconds));
  if (found->is_stale) answer.With("Warning", "110 - \"Response is Stale\"");
  return answer;
}

Response Accepted(const std::string& message, JobId job) {
  return Response::Json(
      202,
      JsonWriter().Object().Add("message", message).Add("job_id", static_cast<std::int64_t>(job)).Finish());
}

// "Anime {id} is in the queue", in the words of the original.
std::string QueuedTitle(std::int64_t mal_id) {
  return "\u0441\u0438\u043d\u0445\u0440\u043e\u043d\u0438\u0437\u0430\u0446\u0438\u044f "
         "\u0430\u043d\u0438\u043c\u0435 " +
         std::to_string(mal_id) +
         " \u043f\u043e\u0441\u0442\u0430\u0432\u043b\u0435\u043d\u0430 \u0432 "
         "\u043e\u0447\u0435\u0440\u0435\u0434\u044c";
}
std::string QueuedTop(std::int64_t limit) {
  return "\u0441\u0438\u043d\u0445\u0440\u043e\u043d\u0438\u0437\u0430\u0446\u0438\u044f "
         "\u0442\u043e\u043f " +
         std::to_string(limit) +
         " \u0430\u043d\u0438\u043c\u0435 \u043f\u043e\u0441\u0442\u0430\u0432\u043b\u0435\u043d\u0430 "
         "\u0432 \u043e\u0447\u0435\u0440\u0435\u0434\u044c";
}

}  // namespace

void RequireWriter(const Context& context) {
  const std::string& access = context.config().Of<Settings>().anime_write_access;
  if (access == "open") return;
  if (context.user() == UserId{}) throw Unauthenticated("login_required");
  if (access == "admin" && !HasAll(context.roles(), Roles::kAdmin)) throw Forbidden("role_missing");
}

// GET /anime/jikan/top -- the first five of the upstream's top list, passed through.
Response GetJikanTop(Request& request, Context& context) {
  return Answer(AskThroughCache(context, request, {.kind = "top", .name = std::to_string(kShortTop)}, [&] {
    return Jikan(context).RawTop({.limit = static_cast<int>(kShortTop)});
  }));
}

// GET /anime/jikan/search?query= -- the upstream's search results, passed through.
Response GetJikanSearch(Request& request, Context& context) {
  ParameterInput in(request);
  const auto query = in.Query("query").Required().Text(kMaxQueryCharacters);
  in.ThrowIfAny();
  // Its hash, because the text may be anything.
  return Answer(AskThroughCache(context, request,
                                {.kind = "search", .name = HexText(Sha256(*query)), .keep = kSearchKept},
                                [&] { return Jikan(context).RawSearch({.text = *query}); }));
}

// GET /anime/jikan/{mal_id} -- one title with everything the upstream has, passed through.
Response GetJikanTitle(Request& request, Context& context) {
  ParameterInput in(request);
  const auto mal_id = in.Path("mal_id").Int();
  in.ThrowIfAny();
  const bool is_possible = *mal_id >= 1 && *mal_id <= kMaxId;
  const auto found = is_possible ? FindAtUpstream(context, request, *mal_id) : std::nullopt;
  if (!found) throw ErrorAbout(ErrorKind::kNotFound, "not_at_mal", *mal_id);
  return Answer(found);
}

// POST /anime/sync/{mal_id} -- enqueues a job that fetches a title again.
Response PostSyncTitle(Request& request, Context& context) {
  RequireWriter(context);
  ParameterInput in(request);
  const auto mal_id = in.Path("mal_id").Int(1, kMaxId);
  in.ThrowIfAny();
  return Accepted(QueuedTitle(*mal_id), EnqueueSyncTitle(context, *mal_id));
}

// POST /anime/sync/top?limit= -- enqueues a job that fetches the beginning of the top list. One runs at a
// time; concurrent requests return that one.
Response PostSyncTop(Request& request, Context& context) {
  RequireWriter(context);
  ParameterInput in(request);
  const std::int64_t limit = in.Query("limit").Int(1, 100).value_or(25);
  in.ThrowIfAny();
  return Accepted(QueuedTop(limit), EnqueueSyncTop(context, limit));
}

// GET /anime/sync/jobs/{job_id} -- progress of such a job. Not in the original.
Response GetSyncJob(Request& request, Context& context) {
  ParameterInput in(request);
  const auto id = in.Path("job_id").Int();
  in.ThrowIfAny();
  const auto job =
      context.ReadOnce<SyncStore>([&](SyncStore& store) { return store.FindJob(static_cast<JobId>(*id)); });
  if (!job) throw NotFound("no_such_job");
  const bool has_failed = job->state == "dead" || job->state == "cancelled";
  return Response::Json(
      200, JsonWriter()
               .Object()
               .Add("id", static_cast<std::int64_t>(job->id))
               .Add("kind", job->kind.substr(job->kind.find('.') + 1))
               .Add("state", job->state)
               .Add("done", job->done)
               .Add("total", job->total)
               .Add("message", job->message)
               .Add("error", has_failed ? std::optional("the upstream could not be asked") : std::nullopt)
               .Finish());
}

}  // namespace syncline::anime
