#include "handlers/anime/title_handlers.h"

#include "handlers/anime/settings.h"
#include "handlers/anime/sync_flow.h"
#include "handlers/anime/sync_handlers.h"
#include "handlers/anime/title_rules.h"
#include "handlers/anime/title_store.h"
#include "handlers/anime/title_wire.h"
#include "handlers/base/conditional.h"
#include "handlers/base/detail_errors.h"
#include "handlers/base/json_body.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/parameter_input.h"
#include "handlers/base/rate_limit.h"

namespace syncline::anime {
namespace {

constexpr const char* kGenresKeptSeconds = "60";

// Weak: another vote does not change updated_at.
Current StateOf(const Title& title) {
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(title.updated_at.time_since_epoch()).count();
  return {.exists = true, .etag = ETag{.opaque = std::to_string(micros), .is_weak = true}, .modified_at = {}};
}

Response Answer(const Request& request, const Title& title, const Shown& shown) {
  const Current current = StateOf(title);
  if (Evaluate(Conditions(request), current) == Outcome::kNotModified) return NotModified(current);
  return Response::Json(200, PrintTitle(title, shown)).With("ETag", current.etag->Print());
}

// The answer with all genres counts all links of the catalogue, so it is kept in Redis for a minute.
std::string GenresAnswer(Context& context, bool all_kinds) {
  const std::string key = std::string("syncline:anime:genres:") + (all_kinds ? "all" : "default");
  const auto ask = [&](std::initializer_list<std::string_view> command) {
    try {
      return context.redis().Command(command);
    } catch (const Error& error) {
      if (error.code() != "redis_unavailable") throw;
      return RedisReply{};
    }
  };
  if (RedisReply kept = ask({"GET", key}); kept.type == RedisReply::Type::kText) return kept.text;
  std::string answer =
      PrintGenres(context.Read<TitleStore>([&](TitleStore& titles) { return titles.Genres(all_kinds); }));
  ask({"SET", key, answer, "EX", kGenresKeptSeconds});
  return answer;
}

}  // namespace

void LimitSearches(const Request& request, Context& context) {
  const auto count = static_cast<int>(context.config().Of<Settings>().anime_searches_per_minute);
  RequireRate(context.redis(), "anime:searches:" + NetworkOf(request.remote_address),
              {.count = count, .per = std::chrono::minutes(1)}, WithoutRedis::kAllow);
}

// GET /anime/ -- a page of the catalogue, by score. If no title contains the search text, similar titles are
// returned, with X-Search: similar. `total=true` adds X-Total-Count, which costs a count.
Response GetTitles(Request& request, Context& context) {
  ParameterInput in(request);
  const TitleFilter filter = ReadTitleFilter(in);
  const TitlePage page = ReadTitlePage(in);
  const Shown shown = ReadShown(in);
  const bool with_total = in.Query("total").Bool().value_or(false);
  in.ThrowIfAny();
  TitleFilter asked = filter;
  asked.with_all_genre_kinds = shown.with_all_genre_kinds;
  if (asked.search || asked.genre || with_total) LimitSearches(request, context);
  const auto list = [&](TitleStore& titles) { return titles.List(asked, page, with_total); };
  const bool is_plain = asked.IsEmpty() && page.order == "score" && !with_total;
  const FoundTitles found = is_plain ? context.ReadOnce<TitleStore>(list) : context.Read<TitleStore>(list);
  Response answer = Response::Json(200, PrintTitles(found.titles, shown));
  if (found.total) answer.With("X-Total-Count", std::to_string(*found.total));
  if (found.is_similar) answer.With("X-Search", "similar");
  return answer;
}

// GET /anime/{anime_id} -- 404 for every number that is not a known id.
Response GetTitle(Request& request, Context& context) {
  ParameterInput in(request);
  const auto id = in.Path("anime_id").Int();
  const Shown shown = ReadShown(in);
  in.ThrowIfAny();
  const bool is_possible = *id >= 1 && *id <= kMaxId;
  const auto title = is_possible
                         ? context.ReadOnce<TitleStore>([&](TitleStore& titles) { return titles.Find(*id); })
                         : std::nullopt;
  if (!title) throw ErrorAbout(ErrorKind::kNotFound, "no_such_title", *id);
  return Answer(request, *title, shown);
}

// GET /anime/{anime_id}/relations -- related titles. A title that came with a list has none yet: then a job
// is enqueued to fetch it. Not in the original.
Response GetRelations(Request& request, Context& context) {
  ParameterInput in(request);
  const auto id = in.Path("anime_id").Int();
  in.ThrowIfAny();
  const bool is_possible = *id >= 1 && *id <= kMaxId;
  const auto relations =
      is_possible ? context.Read<TitleStore>([&](TitleStore& titles) { return titles.RelationsOf(*id); })
                  : std::nullopt;
  if (!relations) throw ErrorAbout(ErrorKind::kNotFound, "no_such_title", *id);
  if (!relations->are_known) RefreshLater(context, request, relations->mal_id);
  return Response::Json(200, PrintRelations(relations->all));
}

// GET /anime/mal/{mal_id} -- from the catalogue; the first time from the upstream. A stale copy is sent at
// once, with its age, and a job refreshes it.
Response GetTitleByMal(Request& request, Context& context) {
  ParameterInput in(request);
  const auto mal_id = in.Path("mal_id").Int();
  const Shown shown = ReadShown(in);
  in.ThrowIfAny();
  const bool is_possible = *mal_id >= 1 && *mal_id <= kMaxId;
  const auto title = is_possible ? FindOrFetch(context, request, *mal_id) : std::nullopt;
  if (!title) throw ErrorAbout(ErrorKind::kNotFound, "not_at_mal", *mal_id);
  const bool is_due = title->source != "manual" && title->stale_at <= context.Now();
  if (is_due) RefreshLater(context, request, *mal_id);
  Response answer = Answer(request, *title, shown);
  // After a failed refresh the next attempt is an hour later, but the copy's age still counts from its fetch.
  const bool is_stale = is_due || title->sync_state == "error";
  if (!is_stale || !title->synced_at) return answer;
  const auto age =
      std::chrono::duration_cast<std::chrono::seconds>(context.Now() - *title->synced_at).count();
  return std::move(answer)
      .With("Age", std::to_string(std::max<std::int64_t>(0, age)))
      .With("Warning", "110 - \"Response is Stale\"");
}

// POST /anime/ -- adds a title by hand. If its mal_id is known, the answer is 201 with that title, unchanged, and
// X-Existing.
Response PostTitle(Request& request, Context& context) {
  RequireWriter(context);
  const NewTitle title = ReadJsonBody(request, ReadNewTitle);
  const auto [added, was_there] =
      context.Write<TitleStore>([&](TitleStore& titles) { return titles.Add(title); });
  Response answer = Response::Json(201, PrintTitle(added, {}));
  if (was_there) answer.With("X-Existing", "true");
  return answer;
}

// GET /health -- whether the catalogue can be read: 503 without the database. In the words of the original; tools made for
// Anki's own server, which has the path too, look at the status only.
Response GetHealth(Request&, Context& context) {
  context.ReadOnce<TitleStore>([](TitleStore& titles) { return titles.List({}, {.limit = 1}, false); });
  return Response::Json(
      200, JsonWriter().Object().Add("status", "AniSync \u043e\u043d\u043b\u0430\u0439\u043d!").Finish());
}

// GET /genres/ -- all genres and themes with the number of their titles, up to a minute old. Not in the original.
Response GetGenres(Request& request, Context& context) {
  ParameterInput in(request);
  const Shown shown = ReadShown(in);
  in.ThrowIfAny();
  return Response::Json(200, GenresAnswer(context, shown.with_all_genre_kinds));
}

}  // namespace syncline::anime
