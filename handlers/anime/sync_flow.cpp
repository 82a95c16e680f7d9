#include "handlers/anime/sync_flow.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "handlers/anime/jikan.h"
#include "handlers/anime/settings.h"
#include "handlers/anime/sync_store.h"
#include "handlers/anime/title_rules.h"
#include "handlers/anime/word_wire.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/log.h"
#include "handlers/base/rate_limit.h"
#include "handlers/base/single_flight.h"

namespace syncline::anime {
namespace {

using namespace std::chrono_literals;

// How long a missing title is cached: it may be added to MAL meanwhile. A sync or a list that has it ends
// this earlier.
constexpr std::chrono::seconds kMissingTime = 6h;
// A removed title sometimes returns.
constexpr auto kGoneTime = std::chrono::days(30);
constexpr const char* kRefreshOnceSeconds = "600";
// Of stale copies that one network has read. The job's budget is 30 requests a minute for all.
constexpr RateLimit kRefreshes{.count = 10, .per = 60s};
// Attempts for a title of which only the name is known, an hour to a day apart.
constexpr int kStubAttempts = 6;
constexpr int kPageSize = 25;
// Pages overlap and move while they are read.
constexpr std::int64_t kSparePages = 1;
constexpr int kMaxSeasonPages = 12;

// Answers as they are. A kept one is fresh for an hour.
constexpr std::int64_t kFreshSeconds = 3600;
// Anybody can request any number of them, and a full Redis would drop limits and locks. So each kind has this
// many places; an answer is stored at the place of its hash and overwrites what was there: two kinds take at
// most 64 MiB.
constexpr std::size_t kPlaces = 128, kMaxKeptBytes = 256 << 10;

// The result of a single flight.
constexpr const char *kFound = "found", *kMissing = "missing";

FreshTitle FreshOf(JikanTitle title, Time now, JikanValidators validators = {},
                   std::optional<Time> expires = std::nullopt) {
  const Time stale_at = StaleAt(title.status, title.aired_to, now, expires);
  return {.title = std::move(title), .validators = std::move(validators), .stale_at = stale_at};
}

// The outcome shared by all waiting callers: a failure is its status, code and Retry-After.
std::string TextOf(const Error& error) {
  return "! " + std::to_string(StatusOf(error.kind())) + " " + error.code() + " " +
         std::to_string(error.retry_after().value_or(0s).count());
}

void ThrowIfFailed(std::string_view outcome) {
  if (!outcome.starts_with("! ")) return;
  outcome.remove_prefix(2);
  const auto status = static_cast<int>(TakeNumber(outcome));
  const std::string code(TakeWord(outcome));
  const std::int64_t seconds = TakeNumber(outcome);
  Error error(KindOf(status), code, "as another request has found");
  if (seconds > 0) throw std::move(error).RetryAfter(std::chrono::seconds(seconds));
  throw error;
}

// `known`: the copy we have, if any.
void SaveAnswer(Context& context, std::int64_t mal_id, const std::optional<KnownCopy>& known,
                const JikanTitleAnswer& answer, bool replaces_manual) {
  const Time now = context.Now();
  context.Write<SyncStore>([&](SyncStore& store) {
    switch (answer.kind) {
      case JikanTitleAnswer::Kind::kNotFound:
        if (known) {
          store.MarkGone(mal_id, now + kGoneTime);
        } else {
          store.RememberMissing(mal_id, kMissingTime);
        }
        return;
      case JikanTitleAnswer::Kind::kNotModified:
        store.Confirm(mal_id, StaleAt(known->status, known->aired_to, now, answer.expires));
        return;
      case JikanTitleAnswer::Kind::kFound: {
        if (known && known->has_content && IsHollow(answer.title))
          throw Error(ErrorKind::kUpstream, "upstream_hollow", "nothing but a name");
        const FreshTitle fresh = FreshOf(answer.title, now, answer.validators, answer.expires);
        store.Save({&fresh, 1}, replaces_manual);
      }
    }
  });
}

// One common limit for everything that causes upstream requests, so that one network cannot use up the whole
// budget.
void LimitMisses(Context& context, const Request& request) {
  const auto count = static_cast<int>(context.config().Of<Settings>().anime_misses_per_minute);
  RequireRate(context.redis(), "anime:misses:" + NetworkOf(request.remote_address),
              {.count = count, .per = 1min}, WithoutRedis::kRefuse);
}

std::optional<Title> Find(Context& context, std::int64_t mal_id) {
  return context.ReadOnce<TitleStore>([&](TitleStore& titles) { return titles.FindByMal(mal_id); });
}

bool IsMissing(Context& context, std::int64_t mal_id) {
  return context.ReadOnce<TitleStore>([&](TitleStore& titles) { return titles.IsMissing(mal_id); });
}

// Errors that would be the same for callers within the next seconds.
bool IsShared(const Error& error) {
  return error.kind() == ErrorKind::kUpstream || error.code() == "upstream_busy";
}

std::string DoShared(Context& context, const std::string& key, const std::function<std::string()>& work) {
  const auto outcome = DoOnce(
      context.redis(), key, {},
      [&]() -> FlightOutcome {
        try {
          return {.text = work()};
        } catch (const Error& error) {
          if (!IsShared(error)) throw;
          return {.text = TextOf(error)};
        }
      },
      WaitingFor(context));
  ThrowIfFailed(outcome);
  return outcome;
}

// It is there, so this is no 404.
Error FoundAndGone() {
  return Error(ErrorKind::kBusy, "upstream_busy", "found by another request, and not kept").RetryAfter(2s);
}

std::string PlaceOf(const CacheKey& key) {
  return "syncline:anime:proxy:" + key.kind + ":" +
         std::to_string(std::hash<std::string>{}(key.name) % kPlaces);
}

// A place has "<when, in seconds> <name> <JSON>".
std::optional<ProxiedAnswer> ReadKept(Context& context, const CacheKey& key) {
  const RedisReply reply = context.redis().Command({"GET", PlaceOf(key)});
  if (reply.type != RedisReply::Type::kText) return std::nullopt;
  std::string_view text = reply.text;
  std::int64_t when = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), when);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  const std::string name = " " + key.name + " ";
  if (!text.starts_with(name)) return std::nullopt;
  const std::int64_t age = std::max<std::int64_t>(0, context.NowSeconds() - when);
  return ProxiedAnswer{
      .data = std::string(text.substr(name.size())), .age_seconds = age, .is_stale = age >= kFreshSeconds};
}

void WriteKept(Context& context, const CacheKey& key, const std::string& data) {
  if (data.size() > kMaxKeptBytes) return;
  context.redis().Command({"SET", PlaceOf(key),
                           std::to_string(context.NowSeconds()) + " " + key.name + " " + data, "EX",
                           std::to_string(key.keep.count())});
}

JobId Enqueue(Context& context, const NewJob& job) {
  return context.Write<Transaction>(
      [&](Transaction& transaction) { return EnqueueJob(transaction.tx, job); });
}

std::string Argument(const char* name, std::int64_t value) {
  return JsonWriter().Object().Add(name, value).Finish();
}

constexpr int kBackgroundPriority = -10;

// A requested job has another key than a background job, so that it is not merged into one that waits in the
// background.
NewJob SyncTitleJob(std::int64_t mal_id, bool is_patient) {
  return {.kind = "anime.sync_title",
          .args = JsonWriter().Object().Add("mal_id", mal_id).Add("is_patient", is_patient).Finish(),
          .unique_key = (is_patient ? "" : "asked:") + std::to_string(mal_id)};
}

// Stores the titles of a page that `seen` does not know yet; at most `most`. Returns how many.
std::int64_t SavePage(Context& context, JikanPage page, std::set<std::int64_t>& seen, std::int64_t most) {
  std::vector<FreshTitle> fresh;
  const Time now = context.Now();
  for (JikanTitle& title : page.titles) {
    if (static_cast<std::int64_t>(fresh.size()) == most) break;
    if (IsHollow(title) || !seen.insert(title.mal_id).second) continue;
    fresh.push_back(FreshOf(std::move(title), now));
  }
  if (!fresh.empty())
    context.Write<SyncStore>([&](SyncStore& store) { store.Save(fresh, /*replaces_manual=*/false); });
  return static_cast<std::int64_t>(fresh.size());
}

}  // namespace

std::optional<Title> FindOrFetch(Context& context, const Request& request, std::int64_t mal_id) {
  if (auto known = Find(context, mal_id)) return known;
  if (IsMissing(context, mal_id)) return std::nullopt;
  const auto outcome = DoShared(context, JikanTitleKey(mal_id), [&]() -> std::string {
    // An earlier flight may have ended since.
    if (Find(context, mal_id)) return kFound;
    if (IsMissing(context, mal_id)) return kMissing;
    LimitMisses(context, request);
    const JikanTitleAnswer answer = Jikan(context).Title(mal_id);
    SaveAnswer(context, mal_id, std::nullopt, answer, /*replaces_manual=*/false);
    return answer.kind == JikanTitleAnswer::Kind::kFound ? kFound : kMissing;
  });
  auto title = Find(context, mal_id);
  if (!title && outcome == kFound) throw FoundAndGone();
  return title;
}

void RefreshLater(Context& context, const Request& request, std::int64_t mal_id) {
  try {
    const std::string key = "syncline:anime:refresh:" + std::to_string(mal_id);
    const RedisReply reply = context.redis().Command({"SET", key, "1", "NX", "EX", kRefreshOnceSeconds});
    if (reply.type == RedisReply::Type::kNull) return;
    const std::string network = "anime:refreshes:" + NetworkOf(request.remote_address);
    if (!Allow(context.redis(), network, kRefreshes).is_allowed) {
      // Another network may ask for it.
      context.redis().Command({"DEL", key});
      return;
    }
    context.Write<Transaction>(
        [&](Transaction& transaction) { EnqueueSyncInBackground(transaction.tx, mal_id); });
  } catch (const Error& error) {
    // The reader gets what there is.
    LogLine(LogLevel::kWarn)
        .Add("event", "refresh_not_enqueued")
        .Add("mal_id", mal_id)
        .Add("why", error.what())
        .Write();
  }
}

JobId EnqueueSyncTitle(Context& context, std::int64_t mal_id) {
  return Enqueue(context, SyncTitleJob(mal_id, /*is_patient=*/false));
}

JobId EnqueueSyncInBackground(sql::Tx& tx, std::int64_t mal_id, std::optional<UserId> user) {
  NewJob job = SyncTitleJob(mal_id, /*is_patient=*/true);
  job.user = user;
  job.priority = kBackgroundPriority;
  return EnqueueJob(tx, job);
}

JobId EnqueueSyncTop(Context& context, std::int64_t limit) {
  return Enqueue(context, {.kind = "anime.sync_top", .args = Argument("limit", limit), .unique_key = "top"});
}

void SyncTitle(Context& context, std::int64_t mal_id, bool is_patient, JobControl& control) {
  const auto known = context.ReadOnce<SyncStore>([&](SyncStore& store) { return store.Find(mal_id); });
  // A title written by hand, known by its name only, or from a list, which has no relations, must come whole.
  const bool is_copy = known && !known->is_manual && known->has_content && known->has_relations;
  try {
    const JikanTitleAnswer answer =
        Jikan(context, control).Title(mal_id, is_copy ? known->validators : JikanValidators{});
    SaveAnswer(context, mal_id, known, answer, /*replaces_manual=*/true);
    // A missing title is a valid answer and no reason for a retry.
    control.Progress(1, 1, answer.kind == JikanTitleAnswer::Kind::kNotFound ? "not_at_mal" : "");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUpstream || !known) throw;
    const int failures = known->failures + 1;
    const Time now = context.Now(), retry_at = RetryAt(failures, now);
    context.Write<SyncStore>([&](SyncStore& store) { store.MarkFailed(mal_id, error.code(), retry_at); });
    // A reader's next request lets the copy be fetched again, but readers of lists do not.
    if (is_patient && !known->has_content && failures < kStubAttempts)
      throw JobPutOff(error.code(), std::chrono::ceil<std::chrono::milliseconds>(retry_at - now));
    control.Progress(1, 1, error.code());
  }
}

void SyncTop(Context& context, std::int64_t limit, JobControl& control) {
  Jikan jikan(context, control);
  std::set<std::int64_t> seen;
  std::int64_t done = 0, malformed = 0;
  const std::int64_t pages = (limit + kPageSize - 1) / kPageSize + kSparePages;
  std::string note;
  for (std::int64_t number = 1; number <= pages && done < limit; ++number) {
    control.Progress(done, limit, "");
    JikanPage page = jikan.Top({.page = static_cast<int>(number), .limit = kPageSize});
    malformed += static_cast<std::int64_t>(page.malformed.size());
    const bool has_next = page.has_next;
    const std::int64_t stored = SavePage(context, std::move(page), seen, limit - done);
    done += stored;
    // has_next is only a hint: some servers return true for ever.
    if (stored == 0 || !has_next) {
      if (done < limit) note = "the list ended at page " + std::to_string(number);
      break;
    }
  }
  if (malformed > 0)
    note += (note.empty() ? "" : "; ") + std::to_string(malformed) + " malformed items left out";
  control.Progress(done, limit, note);
}

void WarmUp(Context& context, JobControl& control) {
  Jikan jikan(context, control);
  std::set<std::int64_t> seen;
  for (const bool is_now : {true, false}) {
    for (int number = 1; number <= kMaxSeasonPages; ++number) {
      control.Progress(static_cast<std::int64_t>(seen.size()), 0, is_now ? "this season" : "upcoming");
      JikanPage page = is_now ? jikan.SeasonNow(number) : jikan.SeasonUpcoming(number);
      const bool has_next = page.has_next;
      if (SavePage(context, std::move(page), seen, kMaxItems) == 0 || !has_next) break;
    }
  }
}

std::optional<ProxiedAnswer> AskThroughCache(Context& context, const Request& request, const CacheKey& key,
                                             const std::function<std::optional<std::string>()>& fetch) {
  auto kept = ReadKept(context, key);
  if (kept && !kept->is_stale) return kept;
  std::optional<ProxiedAnswer> fetched;
  try {
    const auto outcome = DoShared(context, "anime:proxy:" + key.kind + ":" + key.name, [&]() -> std::string {
      if (const auto found = ReadKept(context, key); found && !found->is_stale) return kFound;
      LimitMisses(context, request);
      auto data = fetch();
      if (!data) return kMissing;
      WriteKept(context, key, *data);
      fetched = ProxiedAnswer{.data = std::move(*data)};
      return kFound;
    });
    if (outcome == kMissing) return std::nullopt;
  } catch (const Error& error) {
    if (!kept || !(IsShared(error) || error.kind() == ErrorKind::kTooMany)) throw;
    return kept;
  }
  if (fetched) return fetched;
  kept = ReadKept(context, key);
  if (!kept) throw FoundAndGone();
  return kept;
}

std::optional<ProxiedAnswer> FindAtUpstream(Context& context, const Request& request, std::int64_t mal_id) {
  if (IsMissing(context, mal_id)) return std::nullopt;
  return AskThroughCache(context, request, {.kind = "title", .name = std::to_string(mal_id)}, [&] {
    auto data = Jikan(context).RawTitle(mal_id);
    if (!data)
      context.Write<SyncStore>([&](SyncStore& store) { store.RememberMissing(mal_id, kMissingTime); });
    return data;
  });
}

}  // namespace syncline::anime
