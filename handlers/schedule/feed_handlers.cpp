#include "handlers/schedule/feed_handlers.h"

#include <algorithm>

#include "handlers/account/login/key_wire.h"
#include "handlers/base/conditional.h"
#include "handlers/base/json_body.h"
#include "handlers/base/rate_limit.h"
#include "handlers/base/sha256.h"
#include "handlers/base/timestamp.h"
#include "handlers/schedule/calendar/feed_rules.h"
#include "handlers/schedule/calendar/feed_store.h"
#include "handlers/schedule/calendar/feed_wire.h"
#include "handlers/schedule/profile_wire.h"
#include "handlers/schedule/reading/answer_wire.h"
#include "handlers/schedule/settings.h"

namespace syncline::schedule {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kPurpose = "schedule.feed";
// Version of the feed's format: raise it when a release prints the same lessons differently.
constexpr std::string_view kFeedForm = "1";
// HTTP dates have whole seconds: an older answer may have the same date if it is this recent.
constexpr auto kDatable = 2s;

std::string BoundTo(const Context& context) {
  return std::to_string(static_cast<std::int64_t>(context.user()));
}

std::string TokenOfFeed(const Context& context, const Feed& feed) {
  return context.secret().Open(kPurpose, feed.sealed_token, BoundTo(context)).value_or("");
}

Response FeedAnswer(int status, const Request& request, const Feed& feed, std::string_view token) {
  JsonWriter json;
  AddFeed(json, feed, token, OriginOf(request));
  return Response::Json(status, json.Finish()).With("Cache-Control", "private, no-store");
}

std::optional<Feed> FindOwn(Context& context, std::int64_t id) {
  const auto feeds = context.ReadOnce<FeedStore>([](FeedStore& store) { return store.List(); });
  const auto found =
      std::find_if(feeds.begin(), feeds.end(), [&](const Feed& feed) { return feed.id == id; });
  return found == feeds.end() ? std::nullopt : std::optional(*found);
}

// Of one address. Without Redis it is not counted.
void LimitFetches(Context& context, const std::string& token_hash) {
  const auto count = static_cast<int>(context.config().Of<Settings>().schedule_feed_fetches);
  RequireRate(context.redis(), "schedule:feed:" + HexText(token_hash.substr(0, 16)),
              {.count = count, .per = 60s}, WithoutRedis::kAllow);
}

// The live feed of an address. Also says whose request this is.
LiveFeed FeedOfAddress(const Request& request, Context& context) {
  const auto key = account::ParseKey(TokenOf(request.PathParam("id")));
  if (!key) throw NotFound("no_such_feed");
  LimitFetches(context, key->hash);
  context.SetIdentity({key->user, DeviceId{}});
  const auto feed = context.ReadOnce<FeedStore>([&](FeedStore& feeds) { return feeds.FindLive(key->hash); });
  if (!feed) throw NotFound("no_such_feed");
  // Best effort, once an hour.
  if (feed->is_stale) context.WriteUnawaited<FeedStore>([&](FeedStore& feeds) { feeds.Touch(feed->id); });
  return *feed;
}

bool IsOfGroup(const LiveFeed& feed) {
  return feed.kind == FeedKind::kGroup || feed.kind == FeedKind::kOwn;
}

// A group's is known already; many groups change a teacher's or a room's.
FeedState StateOf(Context& context, const LiveFeed& feed, const FeedWindow& window) {
  if (IsOfGroup(feed)) return {std::to_string(feed.revision), feed.changed_at};
  return context.ReadOnce<TimetableStore>(
      [&](TimetableStore& timetable) { return timetable.StateOfFeed(window); });
}

// The state of a feed on this day, without reading the texts of its lessons.
std::string TagOf(const LiveFeed& feed, const FeedState& state, Day today, const Settings& settings) {
  std::string text(kFeedForm);
  for (const std::string& part : {std::to_string(feed.id), std::to_string(feed.shown.value_or(0)),
                                  std::to_string(feed.subgroup), feed.name, feed.shown_name, DayText(today),
                                  settings.schedule_semesters, settings.schedule_time_zone, state.version})
    text.append("\n").append(part);
  return ShortHash(text);
}

Response CalendarAnswer(const Request& request, const Context& context, Current current, std::string body) {
  const bool is_datable = context.Now() - *current.modified_at > kDatable;
  const bool is_known = Evaluate(Conditions(request), current) == Outcome::kNotModified;
  Response answer = is_known ? Response::Empty(304)
                             : Response{200, {}, std::move(body), std::nullopt}.With(
                                   "Content-Type", "text/calendar; charset=utf-8");
  answer.With("ETag", current.etag->Print()).With("Cache-Control", "private, no-cache");
  if (is_datable) answer.With("Last-Modified", PrintHttpDate(*current.modified_at));
  return answer;
}

}  // namespace

// GET /api/schedule/feeds -- the account's calendars and their addresses.
Response GetFeeds(Request& request, Context& context) {
  const auto feeds = context.ReadOnce<FeedStore>([](FeedStore& store) { return store.List(); });
  JsonWriter json;
  json.Array();
  for (const Feed& feed : feeds) AddFeed(json, feed, TokenOfFeed(context, feed), OriginOf(request));
  return Response::Json(200, json.Finish()).With("Cache-Control", "private, no-store");
}

// POST /api/schedule/feeds -- a new address, for a group, a teacher, a room, or the group that the account has chosen.
Response PostFeed(Request& request, Context& context) {
  const NewFeed feed = ReadJsonBody(request, ReadNewFeed);
  const account::NewKey key = account::MakeKey(context.user());
  const std::string sealed = context.secret().Seal(kPurpose, key.text, BoundTo(context));
  const std::int64_t id =
      context.Write<FeedStore>([&](FeedStore& feeds) { return feeds.Add(feed, key.hash, sealed); });
  const auto added = FindOwn(context, id);
  if (!added) throw NotFound("no_such_feed");
  return FeedAnswer(201, request, *added, key.text);
}

// PATCH /api/schedule/feeds/{id} -- its name and its subgroup; the address stays.
Response PatchFeed(Request& request, Context& context) {
  const std::int64_t id = PathId(request, "id");
  const FeedChange change = ReadJsonBody(request, ReadFeedChange);
  const bool is_there = context.Write<FeedStore>(
      [&](FeedStore& feeds) { return feeds.Change(id, change.name, change.subgroup); });
  const auto feed = is_there ? FindOwn(context, id) : std::nullopt;
  if (!feed) throw NotFound("no_such_feed");
  return FeedAnswer(200, request, *feed, TokenOfFeed(context, *feed));
}

// DELETE /api/schedule/feeds/{id} -- from now on the address is a 404.
Response DeleteFeed(Request& request, Context& context) {
  const std::int64_t id = PathId(request, "id");
  if (!context.Write<FeedStore>([&](FeedStore& feeds) { return feeds.Revoke(id); }))
    throw NotFound("no_such_feed");
  return Response::Empty(204);
}

// GET /api/schedule/feeds/{token}.ics -- for calendar programs, which send no login. The tag has the day, because the window
// moves with it. The tag is read before the lessons, so lessons newer than their tag only cause one more
// fetch.
Response GetFeedFile(Request& request, Context& context) {
  const LiveFeed feed = FeedOfAddress(request, context);
  const Settings& settings = context.config().Of<Settings>();
  const auto zone = SystemZone(settings.schedule_time_zone);
  const Day today = DayIn(*zone, context.Now());
  const FeedWindow window = WindowOf(feed, today, Terms(settings.schedule_semesters), *zone);
  const FeedState state = StateOf(context, feed, window);
  Current current{.exists = true, .etag = ETag::Of(TagOf(feed, state, today, settings))};
  // Never falls: neither do the times of the groups, nor the day.
  const sql::Time day_began = zone->UtcOf(std::chrono::local_seconds(today.time_since_epoch()));
  current.modified_at = std::max({feed.changed_at, state.changed_at, day_began});
  if (Evaluate(Conditions(request), current) == Outcome::kNotModified)
    return CalendarAnswer(request, context, current, "");
  const bool is_empty = !window.group && !window.teacher && !window.room;
  const auto lessons = is_empty ? std::vector<ShownLesson>()
                                : context.ReadOnce<TimetableStore>(
                                      [&](TimetableStore& timetable) { return timetable.OfFeed(window); });
  return CalendarAnswer(request, context, current, PrintCalendar(CalendarOf(feed, lessons, *zone)));
}

std::vector<ExportedFile> ExportFiles(Context& context) {
  const auto profile = [&context](BodySink& sink) {
    const Profile own = context.ReadOnce<ProfileStore>([](ProfileStore& profiles) { return profiles.Own(); });
    sink.Write(JsonWriter()
                   .Object()
                   .Add("group", own.group)
                   .Add("group_name", own.group_name)
                   .Add("subgroup", own.subgroup)
                   .Add("first_name", own.first_name)
                   .Add("last_name", own.last_name)
                   .Finish());
  };
  const auto feeds = [&context](BodySink& sink) {
    JsonWriter json(sink);
    json.Array();
    for (const Feed& feed : context.ReadOnce<FeedStore>([](FeedStore& store) { return store.List(); }))
      AddFeed(json, feed, "", "");
    json.Finish();
  };
  return {{"schedule/profile.json", profile}, {"schedule/feeds.json", feeds}};
}

}  // namespace syncline::schedule
