#include "handlers/schedule/run_handlers.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "handlers/base/errors.h"
#include "handlers/base/events.h"
#include "handlers/base/upstream.h"
#include "handlers/schedule/reading/answer_wire.h"
#include "handlers/schedule/runs/run_flow.h"
#include "handlers/schedule/runs/run_rules.h"
#include "handlers/schedule/runs/run_store.h"
#include "handlers/schedule/runs/run_wire.h"
#include "handlers/schedule/settings.h"

namespace syncline::schedule {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr std::string_view kOrders[] = {"-started_at", "started_at", "finished_at"};
constexpr std::string_view kStatuses[] = {"in_progress", "success", "failed"};
constexpr std::int64_t kMaxGroups = 2'000;
// A worker writes progress once a second. Short runs end sooner.
constexpr std::chrono::milliseconds kFirstLook = 100ms, kLook = 1s;
// The waiting request detects a dead worker.
constexpr auto kReapEvery = 10s;
// One group by itself is read once in this time.
constexpr std::int64_t kSingleEvery = 60;

// The original's text; clients may compare it.
constexpr std::string_view kAlreadyRunning = "Schedule synchronization is already in progress";

bool HasDetails(const Context& context) {
  return HasAll(context.roles(), Roles::kAdmin);
}

// The run returned by `find`. Without a worker nothing else ends a queued or lost run, and clients would see
// it in progress for ever.
template <typename F>
std::optional<Run> Look(Context& context, const F& find) {
  const std::chrono::seconds stale(context.config().Of<Settings>().schedule_stale_s);
  const std::optional<Run> run = context.ReadOnce<RunStore>(find);
  if (!run || !IsSilent(*run, context.Now(), stale)) return run;
  Reap(context);
  return context.ReadOnce<RunStore>(find);
}

std::optional<Run> Find(Context& context, std::int64_t id) {
  return Look(context, [&](RunStore& runs) { return runs.Find(id); });
}

// The tag covers the part that changes with progress; a new heartbeat alone is no change.
Response RunAnswer(const Request& request, const Context& context, const Run& run) {
  return TaggedAnswer(request, StampOf(run, HasDetails(context)),
                      PrintRun(run, HasDetails(context), context.Now()));
}

// `error`: short, as clients show it.
Response Refusal(int status, std::string_view error, std::string_view detail, std::string_view code,
                 const std::optional<std::int64_t>& update = std::nullopt) {
  JsonWriter json;
  json.Object().Add("error", error).Add("detail", detail).Add("code", code);
  if (update) json.Add("update_id", *update);
  return Response::Json(status, json.Finish());
}

Response Refusal(int status, std::string_view code,
                 const std::optional<std::int64_t>& update = std::nullopt) {
  return Refusal(status, SentenceOfCode(code), SentenceOfCode(code), code, update);
}

struct Admission {
  enum class Kind { kAdmitted, kRunning, kNoWorker } kind;
  std::int64_t run = 0;
};

Admission Admit(Context& context, const NewRun& wanted, bool needs_worker) {
  const std::int64_t stale = context.config().Of<Settings>().schedule_stale_s;
  return context.Write<RunStore>([&](RunStore& runs) -> Admission {
    // So that a run whose worker was killed does not block new ones.
    runs.Reap(stale);
    if (const auto active = runs.FindActive(wanted.group)) return {Admission::Kind::kRunning, *active};
    if (needs_worker && !runs.HasWorker()) return {Admission::Kind::kNoWorker};
    if (const auto run = runs.Admit(wanted)) return {Admission::Kind::kAdmitted, *run};
    return {Admission::Kind::kRunning, runs.FindActive(wanted.group).value_or(0)};
  });
}

// Triggers use 400 for nothing else: scripts report any 400 as "already running".
Response AlreadyRunning(const Admission& admission) {
  return Refusal(400, kAlreadyRunning, "Синхронизация расписания уже выполняется.", "already_running",
                 admission.run);
}

bool HasSite(const Context& context) {
  return !context.config().Of<Settings>().schedule_site_url.empty();
}

// What a script learns at the end.
Response ResultOf(const Run& run) {
  if (run.state == "cancelled") return Refusal(409, "cancelled", run.id);
  if (run.state != "success" && run.state != "partial") {
    const std::string sentence = SentenceOf(run);
    return Refusal(500, sentence, sentence, run.error_code.value_or("failed"), run.id);
  }
  return Response::Json(200, JsonWriter()
                                 .Object()
                                 .Add("message", "Schedule synchronization completed successfully")
                                 .Add("groups_updated", run.groups_updated)
                                 .Add("lessons_added", run.lessons_added)
                                 .Add("lessons_removed", run.lessons_removed)
                                 .Add("lessons_changed", run.lessons_changed)
                                 .Add("groups_failed", run.groups_failed)
                                 .Add("update_id", run.id)
                                 .Finish());
}

// The run continues whatever happens here. Holds no transaction and no connection while it waits.
Response WaitForRun(Context& context, std::int64_t id) {
  const auto until = Steady::now() + std::chrono::seconds(context.config().Of<Settings>().schedule_wait_s);
  auto next_reap = Steady::now() + kReapEvery;
  const Waiter wait = WaitingFor(context);
  std::chrono::milliseconds look = kFirstLook;
  while (Steady::now() < until && !context.IsLeaving()) {
    const auto run = Find(context, id);
    if (!run) throw NotFound("no_such_row");
    if (!run->IsActive()) return ResultOf(*run);
    if (Steady::now() > next_reap) {
      Reap(context);
      next_reap = Steady::now() + kReapEvery;
    }
    wait(std::min(look, std::chrono::ceil<std::chrono::milliseconds>(until - Steady::now())));
    look = std::min(look * 3 / 2, kLook);
  }
  return Refusal(504, "Синхронизация продолжается в фоне", "Синхронизация продолжается в фоне",
                 "still_running", id);
}

std::string MoreOf(std::int64_t run, const Request& request) {
  return OriginOf(request) + "/api/schedule/updates/" + std::to_string(run) + "/";
}

}  // namespace

// GET /api/schedule/updates -- the newest first.
Response GetUpdates(Request& request, Context& context) {
  ParameterInput in(request, EmptyValues::kAreNone);
  const auto status = in.Query("status").Choice(kStatuses);
  const std::string order = OrderOf(in, kOrders);
  const std::int64_t page = PageOf(in);
  in.ThrowIfAny();
  const std::vector<std::string> states = status ? StatesOf(kStatuses[*status]) : std::vector<std::string>();
  std::int64_t count = 0;
  const auto found = context.Read<RunStore>([&](RunStore& runs) {
    count = runs.Count(states);
    return runs.Page(states, order, kPageSize, (page - 1) * kPageSize);
  });
  if (page > 1 && found.empty()) throw NotFound("invalid_page");
  JsonWriter json;
  json.Object()
      .Add("count", count)
      .Add("next", page * kPageSize < count ? std::optional(LinkToPage(request, page + 1)) : std::nullopt)
      .Add("previous", page > 1 ? std::optional(LinkToPage(request, page - 1)) : std::nullopt)
      .Array("results");
  for (const Run& run : found) AddRun(json, run, HasDetails(context), context.Now());
  return TaggedAnswer(request, json.Finish());
}

// GET /api/schedule/updates/{id} -- for polling: 304 while nothing has moved.
Response GetUpdate(Request& request, Context& context) {
  const auto run = Find(context, PathId(request, "id"));
  if (!run) throw NotFound("no_such_row");
  return RunAnswer(request, context, *run);
}

// GET /api/schedule/updates/latest
Response GetLatestUpdate(Request& request, Context& context) {
  const auto run = Look(context, [](RunStore& runs) { return runs.Latest(); });
  if (!run) throw NotFound("no_updates");
  return RunAnswer(request, context, *run);
}

// GET /api/schedule/updates/{id}/groups -- the outcome of each group, failures first; unchanged groups are
// left out.
Response GetUpdateGroups(Request& request, Context& context) {
  const std::int64_t id = PathId(request, "id");
  return context.Read<RunStore>([&](RunStore& runs) {
    const auto run = runs.Find(id);
    if (!run) throw NotFound("no_such_row");
    return TaggedAnswer(request, PrintRunGroups(*run, runs.Groups(id, kMaxGroups)));
  });
}

// GET /api/schedule/updates/{id}/events -- progress as server-sent events, "progress" and finally "end".
Response GetUpdateEvents(Request& request, Context& context) {
  const std::int64_t id = PathId(request, "id");
  if (!Find(context, id)) throw NotFound("no_such_row");  // and not a stream that ends
  return EventStream([&context, id](EventSender& events) {
    SendProgress(context, events, kLook, [&]() -> std::optional<ProgressSeen> {
      const auto run = Find(context, id);
      if (!run) return std::nullopt;
      return ProgressSeen{.stamp = StampOf(*run, HasDetails(context)),
                          .json = PrintRun(*run, HasDetails(context), context.Now()),
                          .is_over = !run->IsActive()};
    });
  });
}

// POST /api/schedule/updates/trigger_sync -- starts an update and answers at once. The body is not read: scripts send none
// under a type that promises one.
Response PostTriggerSync(Request& request, Context& context) {
  if (!HasSite(context)) return Refusal(503, "schedule_site_missing");
  const bool needs_worker = context.config().Of<Settings>().schedule_without_worker == "refuse";
  const Admission admission = Admit(context, {.kind = "full", .trigger = "button"}, needs_worker);
  if (admission.kind == Admission::Kind::kRunning) return AlreadyRunning(admission);
  if (admission.kind == Admission::Kind::kNoWorker) return Refusal(503, "no_worker");
  return Response::Json(200, JsonWriter()
                                 .Object()
                                 .Add("message", "Schedule synchronization started")
                                 .Add("task_id", std::to_string(admission.run))
                                 .Add("update_id", admission.run)
                                 .Add("status_url", MoreOf(admission.run, request))
                                 .Finish());
}

// POST /api/schedule/updates/trigger_sync_sync -- starts an update and waits for its end, for scripts. They give up after 600 s
// of silence, so this answers before.
Response PostTriggerSyncSync(Request&, Context& context) {
  if (!HasSite(context)) return Refusal(503, "schedule_site_missing");
  const Admission admission = Admit(context, {.kind = "full", .trigger = "script"}, /*needs_worker=*/true);
  if (admission.kind == Admission::Kind::kRunning) return AlreadyRunning(admission);
  if (admission.kind == Admission::Kind::kNoWorker) return Refusal(503, "no_worker");
  return WaitForRun(context, admission.run);
}

// POST /api/schedule/groups/{id}/sync -- reads one group now, even during a full update. Joins an update of
// this group that is in progress.
Response PostGroupSync(Request& request, Context& context) {
  const std::int64_t id = PathId(request, "id");
  if (!HasSite(context)) return Refusal(503, "schedule_site_missing");
  const auto [group, seconds] = context.Read<RunStore>([&](RunStore& runs) {
    auto since = runs.FindActive(id) ? std::nullopt : runs.SecondsSinceSingle(id);
    return std::pair(runs.FindGroupPage(id), since);
  });
  if (!group) throw NotFound("no_such_row");
  if (group->upstream_id == 0)
    return Refusal(400, "Group does not have SSTU ID", SentenceOfCode("group_without_page"),
                   "group_without_page");
  if (seconds && *seconds < kSingleEvery)
    throw Error(ErrorKind::kTooMany, "too_many_requests")
        .RetryAfter(std::chrono::seconds(kSingleEvery - *seconds));
  const bool needs_worker = context.config().Of<Settings>().schedule_without_worker == "refuse";
  const Admission admission =
      Admit(context, {.kind = "single", .trigger = "button", .group = id}, needs_worker);
  if (admission.kind == Admission::Kind::kNoWorker) return Refusal(503, "no_worker");
  return Response::Json(200, JsonWriter()
                                 .Object()
                                 .Add("message", "Schedule sync started for group " + group->name)
                                 .Add("group_id", id)
                                 .Add("update_id", admission.run)
                                 .Add("status_url", MoreOf(admission.run, request))
                                 .Finish());
}

// POST /api/schedule/updates/{id}/cancel -- groups already written stay written. Idempotent.
Response PostUpdateCancel(Request& request, Context& context) {
  const std::int64_t id = PathId(request, "id");
  const auto state = context.Write<RunStore>([&](RunStore& runs) { return runs.Cancel(id); });
  if (!state) {
    if (!Find(context, id)) throw NotFound("no_such_row");
    return Refusal(409, "Синхронизация уже завершена", "Синхронизация уже завершена.", "already_finished",
                   id);
  }
  return Response::Json(200, JsonWriter()
                                 .Object()
                                 .Add("message", "Отмена запрошена")
                                 .Add("update_id", id)
                                 .Add("state", *state)
                                 .Finish());
}

}  // namespace syncline::schedule
