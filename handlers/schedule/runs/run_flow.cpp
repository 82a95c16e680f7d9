#include "handlers/schedule/runs/run_flow.h"

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <utility>

#include "handlers/base/errors.h"
#include "handlers/base/json_input.h"
#include "handlers/base/log.h"
#include "handlers/schedule/calendar/zone_wire.h"
#include "handlers/schedule/lessons/group_store.h"
#include "handlers/schedule/lessons/lesson_store.h"
#include "handlers/schedule/lessons/name_flow.h"
#include "handlers/schedule/runs/run_rules.h"
#include "handlers/schedule/runs/run_store.h"
#include "handlers/schedule/runs/site_flow.h"
#include "handlers/schedule/settings.h"

namespace syncline::schedule {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How often progress is written and cancellation is checked.
constexpr milliseconds kBeatEvery = 1s;
// The longest wait for a page before everything else is checked again.
constexpr milliseconds kLook = 200ms;
// While PostgreSQL restarts.
constexpr milliseconds kDatabasePause = 1s;
// Attempts of a job whose worker was killed, for runs that nobody waits for.
constexpr int kMostAttempts = 2;
constexpr std::int64_t kMaxRun = 9'223'372'036'854'775'807;

double Random() {
  static thread_local std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

LogLine Event(LogLevel level, const char* event, std::int64_t run) {
  return LogLine(level).Add("svc", "schedule").Add("event", event).Add("run", run);
}

// The end of the whole run before its groups: the index cannot be read.
struct IndexFailed {
  std::string code, detail;
};

class SiteRun {
 public:
  SiteRun(Context& context, JobControl& control, ClaimedRun run)
      : context_(context),
        control_(control),
        settings_(context.config().Of<Settings>()),
        run_(std::move(run)),
        breaker_(settings_.schedule_breaker, settings_.schedule_tries),
        deadline_(Steady::now() + std::chrono::seconds(settings_.schedule_deadline_s) -
                  std::chrono::duration_cast<Steady::duration>(context.Now() - run_.claimed_at)),
        phase_(run_.phase) {}

  void Execute() {
    stop_ = run_.state == "cancelling" ? RunStop::kCancelled : RunStop::kNone;
    today_ = DayIn(*SystemZone(settings_.schedule_time_zone), context_.Now());
    try {
      Beat();
      if (run_.group || run_.phase == "groups") {
        // The date that the site has printed on its last index.
        Write([&](RunStore& runs) { today_ += std::chrono::days(runs.DayOffset()); });
      }
      fetcher_.emplace(SiteOf(context_.config()), static_cast<int>(settings_.schedule_concurrency));
      if (stop_ == RunStop::kNone && run_.phase != "groups") Begin();
      if (stop_ == RunStop::kNone) ReadGroups();
    } catch (const IndexFailed& failed) {
      return Finish({"failed", failed.code}, failed.detail);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInternal) throw;
      return Finish({"failed", error.code()}, error.what());
    }
    phase_ = "finish";
    GiveUpRest();
    TakeNames(context_, today_);
    RunTotals totals;
    Write([&](RunStore& runs) { totals = runs.Totals(run_.fence.run); });
    Finish(ResultOf(totals, stop_), stop_ == RunStop::kBreaker ? "too many pages have failed" : "");
  }

 private:
  // --- the database. It may be away for a while; the run then waits as long as the job may.

  template <typename... Stores, typename F>
  auto WriteWith(const F& block) {
    for (;;) {
      try {
        return context_.Write<Stores...>(block);
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::kBusy) throw;
        control_.Pause(kDatabasePause);
      }
    }
  }
  template <typename F>
  void Write(const F& block) {
    WriteWith<RunStore>(block);
  }

  // Sends a heartbeat, and returns whether the run must end.
  void Beat() {
    control_.Progress(done_, total_, current_);
    if (Steady::now() < next_beat_) return;
    try {
      const std::string state =
          context_.Write<RunStore>([&](RunStore& runs) { return runs.Beat(run_.fence, phase_, current_); });
      if (state == "cancelling" && stop_ == RunStop::kNone) stop_ = RunStop::kCancelled;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kBusy) throw;
      control_.Pause(kDatabasePause);
    }
    next_beat_ = Steady::now() + kBeatEvery;
  }

  // --- the index

  void Begin() {
    phase_ = "index";
    if (run_.group) return BeginSingle();
    const FetchedPage fetched = FetchIndex();
    const IndexPage& index = *fetched.index;
    const Day own_today = today_;
    today_ = schedule::TodayOf(index, own_today);
    day_offset_ = (today_ - own_today).count();
    std::vector<ListedInstitute> institutes;
    for (const auto& one : index.institutes) institutes.push_back({one.upstream_id, one.name});
    std::vector<ListedGroup> groups;
    for (const auto& one : index.groups) {
      const auto text = [](std::optional<std::string_view> word) {
        return word ? std::optional<std::string>(*word) : std::nullopt;
      };
      groups.push_back({.institute = one.institute,
                        .upstream_id = one.upstream_id,
                        .name = one.name,
                        .education_form = text(one.education_form),
                        .degree_type = text(one.degree_type)});
    }
    for (const std::string& warning : index.warnings)
      Event(LogLevel::kWarn, "index_warning", run_.fence.run).Add("text", warning).Write();
    SaveIndex(index, institutes, groups);
  }

  void SaveIndex(const IndexPage& index, const std::vector<ListedInstitute>& institutes,
                 const std::vector<ListedGroup>& groups) {
    const auto total = WriteWith<RunStore, GroupStore>(
        [&](RunStore& runs, GroupStore& store) -> std::optional<std::int64_t> {
          const bool is_foreign = store.IsForeign(groups);
          if (!runs.KeepForeign(is_foreign) && is_foreign) return std::nullopt;
          std::vector<std::int64_t> ids;
          for (const SavedGroup& saved : store.Save(institutes, groups, Listing::kIndex, today_))
            ids.push_back(saved.group);
          std::sort(ids.begin(), ids.end());
          auto warnings = static_cast<std::int64_t>(index.warnings.size());
          if (runs.KeepIndex(static_cast<std::int64_t>(ids.size()), index.period, day_offset_)) {
            store.Miss(ids);
          } else {
            ++warnings;
          }
          return runs.BeginGroups(run_.fence, ids, run_.kind == "full", warnings);
        });
    if (!total)
      throw IndexFailed{"layout_unknown",
                        "the index has names that nobody knows under most of the known numbers"};
    total_ = *total;
  }

  void BeginSingle() {
    Write([&](RunStore& runs) { total_ = runs.BeginGroups(run_.fence, {*run_.group}, true, 0); });
    if (total_ == 0) throw IndexFailed{"group_without_page", "the site does not list the group"};
  }

  FetchedPage FetchIndex() {
    for (int attempt = 1;; ++attempt) {
      WaitForTurn();
      if (stop_ != RunStop::kNone) throw IndexFailed{"cancelled", ""};
      fetcher_->Submit({.attempt = attempt});
      std::optional<FetchedPage> fetched;
      while (!fetched) {
        fetched = fetcher_->Take(kLook);
        Beat();
        if (stop_ == RunStop::kCancelled) throw IndexFailed{"cancelled", ""};
      }
      if (fetched->error_code.empty()) return std::move(*fetched);
      const bool is_over = !fetched->is_worth_another_try || attempt >= settings_.schedule_tries;
      if (is_over) {
        const bool is_layout = fetched->status == 200 && fetched->error_code != "truncated";
        throw IndexFailed{is_layout ? fetched->error_code : "index_unavailable", fetched->error};
      }
      Wait(PauseBefore(attempt + 1, milliseconds(settings_.schedule_retry_ms), Random(),
                       fetched->retry_after));
    }
  }

  void Wait(milliseconds time) {
    for (const auto until = Steady::now() + time; Steady::now() < until && stop_ == RunStop::kNone;) {
      control_.Pause(std::min(kLook, std::chrono::ceil<milliseconds>(until - Steady::now())));
      Beat();
    }
  }

  // Reserves the next start time of a request, together with all workers, by the database's clock.
  Steady::time_point TakeTurn() {
    std::int64_t wait = 0;
    Write([&](RunStore& runs) { wait = runs.TakeSiteTurn(settings_.schedule_min_gap_ms); });
    return Steady::now() + milliseconds(wait);
  }
  void WaitForTurn() { Wait(std::chrono::ceil<milliseconds>(TakeTurn() - Steady::now())); }

  // --- the groups

  void ReadGroups() {
    phase_ = "groups";
    std::vector<PendingGroup> pending;
    Write([&](RunStore& runs) { pending = runs.Pending(run_.fence.run); });
    if (total_ == 0) total_ = static_cast<std::int64_t>(pending.size());
    done_ = total_ - static_cast<std::int64_t>(pending.size());
    for (PendingGroup& group : pending) {
      due_.emplace(Steady::time_point::min(), PageTask{.group = group.group,
                                                       .upstream_id = group.upstream_id,
                                                       .name = std::move(group.name),
                                                       .etag = std::move(group.etag),
                                                       .last_modified = std::move(group.last_modified),
                                                       .must_have_heading = group.has_heading,
                                                       .today = today_});
    }
    while (stop_ == RunStop::kNone && (!due_.empty() || fetcher_->UnderWay() > 0)) {
      Beat();
      if (Steady::now() >= deadline_) stop_ = RunStop::kDeadline;
      if (stop_ != RunStop::kNone) break;
      const milliseconds look = Dispatch();
      if (auto fetched = fetcher_->Take(look)) Handle(std::move(*fetched));
      if (breaker_.IsOpen()) stop_ = RunStop::kBreaker;
    }
  }

  // Sends the due requests. Returns the time until the next one is due.
  milliseconds Dispatch() {
    milliseconds look = kLook;
    while (!due_.empty() && fetcher_->UnderWay() < settings_.schedule_concurrency) {
      const auto now = Steady::now();
      const auto until = [&](Steady::time_point when) {
        return std::clamp(std::chrono::ceil<milliseconds>(when - now), 1ms, kLook);
      };
      if (due_.begin()->first > now) return until(due_.begin()->first);
      if (!turn_) turn_ = TakeTurn();
      if (*turn_ > now) return until(*turn_);
      turn_.reset();
      PageTask task = std::move(due_.begin()->second);
      due_.erase(due_.begin());
      current_ = task.name;
      fetcher_->Submit(std::move(task));
    }
    return look;
  }

  // Groups that failed so far count as failed; the rest as not read.
  void GiveUpRest() {
    for (auto& [when, task] : due_) {
      if (stop_ == RunStop::kCancelled || task.attempt == 1) continue;
      FetchedPage failed{.task = std::move(task)};
      failed.status = failed.task.last_status;
      failed.error_code = failed.task.last_code;
      failed.error = failed.task.last_error;
      --failed.task.attempt;
      Fail(failed);
    }
    // Also groups whose number now belongs to another group.
    Write([&](RunStore& runs) { runs.SkipRest(run_.fence); });
  }

  void Handle(FetchedPage fetched) {
    breaker_.CountTry(fetched.error_code.empty());
    if (fetched.retry_after && fetched.status == 429) {
      const milliseconds pause = PauseBefore(1, 0ms, 0, fetched.retry_after);
      Write([&](RunStore& runs) { runs.DelaySite(pause.count()); });
    }
    if (!fetched.error_code.empty() && fetched.is_worth_another_try &&
        fetched.task.attempt < settings_.schedule_tries) {
      PageTask again = std::move(fetched.task);
      ++again.attempt;
      again.last_code = std::move(fetched.error_code);
      again.last_error = std::move(fetched.error);
      again.last_status = fetched.status;
      const milliseconds pause = PauseBefore(again.attempt, milliseconds(settings_.schedule_retry_ms),
                                             Random(), fetched.retry_after);
      due_.emplace(Steady::now() + pause, std::move(again));
      return;
    }
    try {
      breaker_.CountGroup(fetched.error_code.empty() ? End(fetched) : Fail(fetched));
      ++done_;
    } catch (const RunFenced&) {
      // Cancelled since the last check; Beat throws if the run was lost.
      next_beat_ = {};
      Beat();
      if (stop_ == RunStop::kNone) throw;
    }
  }

  static GroupEnd EndOf(const FetchedPage& fetched) {
    return {.state = "failed",
            .attempts = fetched.task.attempt,
            .took_ms = fetched.took.count(),
            .http_status = fetched.status == 0 ? std::nullopt : std::optional<std::int64_t>(fetched.status)};
  }

  // Records a group's outcome. False: the group has failed.
  bool End(FetchedPage& fetched) {
    try {
      return fetched.is_unmodified ? Confirm(fetched) : Apply(fetched);
    } catch (const RunFenced&) {
      throw;
    } catch (const JobStopped&) {
      throw;
    } catch (const Error& error) {
      fetched.error_code = error.code();
      fetched.error = error.what();
    } catch (const std::exception& error) {
      // Any other exception counts as a failure of this page.
      fetched.error_code = "internal";
      fetched.error = error.what();
    }
    return Fail(fetched);
  }

  // Once more also after a commit of unknown outcome: repeated, it finds everything stored.
  template <typename... Stores, typename F>
  void WriteTwice(const F& block) {
    try {
      WriteWith<Stores...>(block);
    } catch (const Error&) {
      WriteWith<Stores...>(block);
    }
  }

  bool Confirm(const FetchedPage& fetched) {
    GroupEnd end = EndOf(fetched);
    end.state = "unchanged";
    WriteTwice<RunStore>([&](RunStore& runs) {
      runs.Confirm(run_.fence, fetched.task.group);
      runs.EndFencedGroup(run_.fence, fetched.task.group, end);
    });
    return true;
  }

  bool Apply(FetchedPage& fetched) {
    const std::int64_t group = fetched.task.group;
    GroupEnd end = EndOf(fetched);
    end.warnings = static_cast<std::int64_t>(fetched.page->warnings.size());
    if (!fetched.page->warnings.empty()) end.detail = fetched.page->warnings.front();
    WarnOfTwins(fetched, end);
    const GroupPage page{.group = group,
                         .lessons = std::move(fetched.page->lessons),
                         .window = fetched.page->window,
                         .hash = fetched.hash,
                         .has_heading = fetched.page->has_heading};
    const ApplyRules rules{.today = today_,
                           .online_rooms = settings_.schedule_online_rooms,
                           .run = run_.fence.run,
                           .fence = run_.fence};
    WriteTwice<LessonStore, RunStore>([&](LessonStore& lessons, RunStore& runs) {
      end.applied = lessons.ApplyGroup(page, rules);
      end.state = WordOf(end.applied.kind);
      end.error_code =
          end.applied.kind == Applied::Kind::kHeld ? std::optional("suspicious_shrink") : std::nullopt;
      runs.KeepValidators(group, fetched.task.upstream_id, fetched.etag, fetched.last_modified);
      runs.EndFencedGroup(run_.fence, group, end);
    });
    return true;
  }

  // Two groups with one and the same page, byte for byte: the site may have mixed them up.
  void WarnOfTwins(const FetchedPage& fetched, GroupEnd& end) {
    if (fetched.page->lessons.empty()) return;
    const auto [twin, is_new] = bodies_.emplace(fetched.body_hash, fetched.task.name);
    if (is_new || twin->second == fetched.task.name) return;
    ++end.warnings;
    end.detail = "same_page: " + twin->second;
  }

  bool Fail(const FetchedPage& fetched) {
    GroupEnd end = EndOf(fetched);
    end.error_code = fetched.error_code;
    end.detail = fetched.error;
    Write([&](RunStore& runs) { runs.EndGroup(run_.fence, fetched.task.group, end); });
    Event(LogLevel::kWarn, "group_failed", run_.fence.run)
        .Add("group", fetched.task.group)
        .Add("code", fetched.error_code)
        .Add("detail", fetched.error)
        .Add("status", fetched.status)
        .Add("ms", fetched.took.count())
        .Add("tries", fetched.task.attempt)
        .Write();
    return false;
  }

 public:
  // --- the end

  void Finish(const RunResult& result, const std::string& detail) {
    fetcher_.reset();
    const auto text = detail.empty() ? std::nullopt : std::optional(detail);
    const std::string state = result.code == "cancelled" ? "cancelled" : result.state;
    WriteWith<RunStore, Transaction>([&](RunStore& runs, Transaction& transaction) {
      if (stop_ != RunStop::kNone || result.state == "failed") runs.SkipRest(run_.fence);
      runs.Finish(run_.fence, state, result.code, text);
      control_.FinishIn(transaction.tx);
    });
    Event(state == "failed" ? LogLevel::kWarn : LogLevel::kInfo, "run_end", run_.fence.run)
        .Add("kind", run_.kind)
        .Add("trigger", run_.trigger)
        .Add("state", state)
        .Add("code", result.code.value_or("-"))
        .Add("detail", detail)
        .Add("groups", done_)
        .Write();
  }

 private:
  Context& context_;
  JobControl& control_;
  const Settings& settings_;
  ClaimedRun run_;
  Breaker breaker_;
  Steady::time_point deadline_;
  Day today_{};  // of the site
  std::int64_t day_offset_ = 0;
  RunStop stop_ = RunStop::kNone;
  std::optional<PageFetcher> fetcher_;
  std::multimap<Steady::time_point, PageTask> due_;  // by when they may be sent
  std::optional<Steady::time_point> turn_;           // taken, not yet used
  std::map<std::string, std::string> bodies_;        // hashes of pages, and whose they were
  std::string phase_, current_;
  std::int64_t done_ = 0, total_ = 0;
  Steady::time_point next_beat_{};
};

bool IsResumable(const ClaimedRun& run, const Job& job) {
  // A worker that shut down cleanly has returned the run to the queue, without counting the attempt.
  if (job.attempt == 1) return true;
  return (run.trigger == "timer" || run.trigger == "command") && job.attempt <= kMostAttempts;
}

// For the next worker. If the database is away, the run stays as it is, and the reaper or the next attempt finds it.
void GiveBack(Context& context, const Fence& fence) {
  try {
    context.Write<RunStore>([&](RunStore& runs) { runs.Requeue(fence); });
  } catch (const Error& error) {
    Event(LogLevel::kWarn, "run_not_given_back", fence.run).Add("err", error.what()).Write();
  }
}

}  // namespace

void RunSync(const Job& job, Context& context, JobControl& control) {
  const auto id = ReadJson(job.args, [](const JsonObject& args) { return args.Int("run", 1, kMaxRun); });
  const auto run = context.Write<RunStore>([&](RunStore& runs) { return runs.Claim(id); });
  if (!run) return;  // cancelled, or interrupted
  Event(LogLevel::kInfo, "run_begin", id)
      .Add("kind", run->kind)
      .Add("trigger", run->trigger)
      .Add("attempt", job.attempt)
      .Write();
  SiteRun site(context, control, *run);
  try {
    if (!IsResumable(*run, job)) return site.Finish({"interrupted", "interrupted"}, "the worker was lost");
    site.Execute();
  } catch (const RunFenced&) {
    Event(LogLevel::kWarn, "run_lost", id).Write();
  } catch (const JobStopped&) {
    GiveBack(context, run->fence);
    throw;
  }
}

void RunTimer(const Job&, Context& context, JobControl&) {
  const Settings& settings = context.config().Of<Settings>();
  if (settings.schedule_site_url.empty()) return;
  Reap(context);
  const auto zone = SystemZone(settings.schedule_time_zone);
  const auto seconds = [](sql::Time time) { return std::chrono::floor<std::chrono::seconds>(time); };
  const TimerState state = context.Read<RunStore>([](RunStore& runs) { return runs.Timer(); });
  const auto local_full =
      state.full_at ? std::optional(zone->LocalOf(seconds(*state.full_at))) : std::nullopt;
  const auto kind = TimerKind(state, zone->LocalOf(seconds(context.Now())), local_full, context.Now(),
                              settings.schedule_every_hours, settings.schedule_full_hour);
  const auto run = kind ? context.Write<RunStore>([&](RunStore& runs) {
    return runs.Admit({.kind = *kind, .trigger = "timer", .has_account = false});
  })
                        : std::nullopt;
  LogLine(LogLevel::kInfo)
      .Add("svc", "schedule")
      .Add("event", run ? "timer_run" : "timer_skipped")
      .Add("run", run.value_or(0))
      .Add("is_active", state.is_active)
      .Write();
}

void Reap(Context& context) {
  const std::int64_t stale = context.config().Of<Settings>().schedule_stale_s;
  const std::int64_t ended = context.Write<RunStore>([&](RunStore& runs) { return runs.Reap(stale); });
  if (ended > 0)
    LogLine(LogLevel::kWarn).Add("svc", "schedule").Add("event", "runs_reaped").Add("runs", ended).Write();
}

}  // namespace syncline::schedule
