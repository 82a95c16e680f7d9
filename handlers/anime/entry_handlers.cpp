#include "handlers/anime/entry_handlers.h"

#include <limits>

#include "handlers/anime/entry_store.h"
#include "handlers/anime/entry_wire.h"
#include "handlers/anime/settings.h"
#include "handlers/anime/sync_flow.h"
#include "handlers/anime/title_handlers.h"
#include "handlers/anime/title_rules.h"
#include "handlers/anime/title_store.h"
#include "handlers/anime/title_wire.h"
#include "handlers/base/conditional.h"
#include "handlers/base/detail_errors.h"
#include "handlers/base/json_body.h"
#include "handlers/base/parameter_input.h"
#include "handlers/base/timestamp.h"

namespace syncline::anime {
namespace {

constexpr std::string_view kListOrders[] = {"created", "updated", "title", "score", "progress"};
constexpr std::int64_t kMaxPage = 1000;
constexpr std::size_t kMaxSearch = 100;
constexpr std::int64_t kStreamedPage = 1000;
constexpr std::int64_t kMaxHistoryPage = 500, kHistoryPage = 50;

Current StateOf(const std::optional<Entry>& entry) {
  if (!entry) return {};
  return {.exists = true, .etag = ETag::Of(entry->revision), .modified_at = {}};
}

Response Answer(int status, const Entry& entry, bool is_full) {
  return Response::Json(status, PrintEntry(entry, is_full)).With("ETag", StateOf(entry).etag->Print());
}

// The id of a title in the path; numbers that are not ids count as missing entries.
std::int64_t ReadAnimeId(ParameterInput& in) {
  const std::int64_t id = in.Path("anime_id").Int().value_or(1);
  return id >= 1 && id <= kMaxId ? id : 0;
}

EntryCircumstances CircumstancesOf(const EntryStore::Current& current, const Context& context) {
  return {.episodes = current.title->episodes,
          .has_auto_rules = current.has_auto_rules,
          .today = PrintDate(context.Now())};
}

// Applies `change` to the account's entry of this title, which is locked.
template <typename MakeChange>
Entry ChangeEntry(Context& context, std::int64_t anime_id, const Conditions& conditions, MakeChange change) {
  return context.Write<EntryStore>([&](EntryStore& entries) {
    const EntryStore::Current current = entries.Lock(anime_id);
    Check(conditions, StateOf(current.entry));
    if (!current.entry) throw NotFound("not_in_list");
    return entries.Change(*current.entry, Changed(current.entry->fields, change(*current.entry),
                                                  CircumstancesOf(current, context)));
  });
}

void RequireRoom(EntryStore& entries) {
  if (entries.Room() <= 0) throw Error(ErrorKind::kUnprocessable, "list_full");
}

std::optional<std::string> StatusFilter(ParameterInput& in) {
  const auto index = in.Query("status").Choice(kWatchStatuses);
  return index ? std::optional<std::string>(kWatchStatuses[*index]) : std::nullopt;
}

// A long list is read in pages, each in a short transaction, so memory stays constant and a slow client holds
// no snapshot. X-Total-Count is the number of entries at the beginning.
Response WholeList(Context& context, const std::optional<std::string>& status, bool is_full) {
  auto [page, total] = context.Read<EntryStore>([&](EntryStore& entries) {
    auto first = entries.List(status, kStreamedPage);
    const auto count = static_cast<std::int64_t>(first.size());
    return std::pair(std::move(first), count < kStreamedPage ? count : entries.Number(status));
  });
  const std::string count = std::to_string(total);
  if (total == static_cast<std::int64_t>(page.size()))
    return Response::Json(200, PrintEntries(page, is_full)).With("X-Total-Count", count);
  const auto write = [&context, status, is_full, first = std::move(page)](BodySink& sink) {
    const char* before = "[";
    for (auto entries = first; !entries.empty();) {
      for (const Entry& entry : entries) {
        sink.Write(before + PrintEntry(entry, is_full));
        before = ",";
      }
      entries = context.ReadOnce<EntryStore>(
          [&](EntryStore& store) { return store.List(status, kStreamedPage, entries.back()); });
    }
    sink.Write("]");
  };
  return Response{200, {}, BodyStream(write), std::nullopt}
      .With("Content-Type", "application/json")
      .With("X-Total-Count", count);
}

}  // namespace

// GET /users/me/list -- the whole list, the newest entries first; with `limit`, `offset`, `sort` or `search` a page of
// it, and X-Total-Count.
Response GetList(Request& request, Context& context) {
  ParameterInput in(request);
  EntryFilter filter{.status = StatusFilter(in), .search = in.Query("search").Text(kMaxSearch)};
  const auto limit = in.Query("limit").Int(1, kMaxPage);
  const auto offset = in.Query("offset").Int(0, JsonValue::kMaxInt);
  const auto order = in.Query("sort").Choice(kListOrders);
  const bool is_full = ReadShown(in).is_full;
  in.ThrowIfAny();
  if (!limit && !offset && !order && !filter.search) {
    return WholeList(context, filter.status, is_full);
  }
  const EntryPage page{.order = std::string(kListOrders[order.value_or(0)]),
                       .limit = limit.value_or(kMaxPage),
                       .offset = offset.value_or(0)};
  const auto [entries, total] =
      context.Read<EntryStore>([&](EntryStore& store) { return store.Page(filter, page); });
  return Response::Json(200, PrintEntries(entries, is_full)).With("X-Total-Count", std::to_string(total));
}

// POST /users/me/list -- 409 if the title is there already, 404 if there is no such title.
Response PostEntry(Request& request, Context& context) {
  ParameterInput in(request);
  const bool is_full = ReadShown(in).is_full;
  const NewEntry added = ReadJsonBody(request, ReadNewEntry, in.TakeProblems());
  const Entry entry = context.Write<EntryStore>([&](EntryStore& entries) {
    const EntryStore::Current current = entries.Lock(added.anime_id);
    if (current.entry) throw Conflict("in_list");
    if (!current.title) throw NotFound("no_title_to_list");
    RequireRoom(entries);
    auto done =
        entries.Add(*current.title, Changed(std::nullopt, added.fields, CircumstancesOf(current, context)));
    if (!done) throw Conflict("in_list");
    return *done;
  });
  return Answer(201, entry, is_full);
}

// GET /users/me/list/{anime_id} -- one entry. Not in the original.
Response GetEntry(Request& request, Context& context) {
  ParameterInput in(request);
  const std::int64_t anime_id = ReadAnimeId(in);
  const bool is_full = ReadShown(in).is_full;
  in.ThrowIfAny();
  const auto entry =
      context.ReadOnce<EntryStore>([&](EntryStore& entries) { return entries.Find(anime_id); });
  if (!entry) throw NotFound("not_in_list");
  if (Evaluate(Conditions(request), StateOf(entry)) == Outcome::kNotModified)
    return NotModified(StateOf(entry));
  return Answer(200, *entry, is_full);
}

// PATCH /users/me/list/{anime_id} -- missing fields are unchanged; null clears. Honours If-Match. A body
// without any known field is refused before the entry is looked up, as in the original.
Response PatchEntry(Request& request, Context& context) {
  ParameterInput in(request);
  const std::int64_t anime_id = ReadAnimeId(in);
  const bool is_full = ReadShown(in).is_full;
  const EntryChange change = ReadJsonBody(request, ReadEntryChange, in.TakeProblems());
  if (change.IsEmpty()) throw Error(ErrorKind::kUnprocessable, "nothing_to_change");
  return Answer(200,
                ChangeEntry(context, anime_id, Conditions(request), [&](const Entry&) { return change; }),
                is_full);
}

// POST /users/me/list/{anime_id}/increment -- one more episode was watched. Not in the original.
Response PostIncrement(Request& request, Context& context) {
  ParameterInput in(request);
  const std::int64_t anime_id = ReadAnimeId(in);
  const bool is_full = ReadShown(in).is_full;
  in.ThrowIfAny();
  const Entry entry = ChangeEntry(context, anime_id, Conditions(request), [](const Entry& found) {
    EntryChange change;
    change.progress = std::min(found.fields.progress.value_or(0) + 1, kMaxId);
    return change;
  });
  return Answer(200, entry, is_full);
}

// DELETE /users/me/list/{anime_id} -- If-Match is honoured.
Response DeleteEntry(Request& request, Context& context) {
  ParameterInput in(request);
  const std::int64_t anime_id = ReadAnimeId(in);
  in.ThrowIfAny();
  const Conditions conditions(request);
  context.Write<EntryStore>([&](EntryStore& entries) {
    if (conditions.if_match) Check(conditions, StateOf(entries.Lock(anime_id).entry));
    if (!entries.Delete(anime_id)) throw NotFound("not_in_list");
  });
  return Response::Empty(204);
}

// PUT /users/me/list/by-mal/{mal_id} -- adds the title (201) or changes its entry (200); fetches the title
// from the upstream if the catalogue does not have it. A new entry needs a status. Not in the original.
Response PutEntryByMal(Request& request, Context& context) {
  ParameterInput in(request);
  const auto mal_id = in.Path("mal_id").Int(1, kMaxId);
  const bool is_full = ReadShown(in).is_full;
  const EntryChange change = ReadJsonBody(request, ReadEntryChange, in.TakeProblems());
  const Conditions conditions(request);
  // Outside of the transaction: the upstream may take seconds.
  const auto title = FindOrFetch(context, request, *mal_id);
  if (!title) throw ErrorAbout(ErrorKind::kNotFound, "not_at_mal", *mal_id);
  struct Put {
    std::optional<Entry> entry;  // none: a concurrent request has added or deleted it
    bool is_new;
  };
  const auto put = [&](EntryStore& entries) -> Put {
    const EntryStore::Current current = entries.Lock(title->id);
    const bool is_new = !current.entry;
    Check(conditions, StateOf(current.entry));
    if (is_new && !change.status)
      throw InputError(
          {{.type = "missing", .place = {"status"}, .message = "Field required", .input = "{}"}});
    if (!current.title) return {std::nullopt, is_new};
    const auto before = is_new ? std::nullopt : std::optional(current.entry->fields);
    const EntryFields fields = Changed(before, change, CircumstancesOf(current, context));
    if (!is_new) return {entries.Change(*current.entry, fields), is_new};
    RequireRoom(entries);
    return {entries.Add(*current.title, fields), is_new};
  };
  Put done = context.Write<EntryStore>(put);
  if (!done.entry) done = context.Write<EntryStore>(put);
  if (!done.entry) throw Busy("busy", "added and deleted by somebody else");
  return Answer(done.is_new ? 201 : 200, *done.entry, is_full);
}

// GET /users/me/list/stats -- statistics of the list. Not in the original.
Response GetListStats(Request&, Context& context) {
  return Response::Json(
      200, PrintCounts(context.Read<EntryStore>([](EntryStore& entries) { return entries.Count(); })));
}

// GET /users/me/list/history -- changes of the list, the newest first; `before` continues. Not in the original.
Response GetListHistory(Request& request, Context& context) {
  ParameterInput in(request);
  const auto before = in.Query("before").Int(1, JsonValue::kMaxInt).value_or(JsonValue::kMaxInt);
  const auto limit = in.Query("limit").Int(1, kMaxHistoryPage).value_or(kHistoryPage);
  const auto anime_id = in.Query("anime_id").Int(1, kMaxId);
  in.ThrowIfAny();
  return Response::Json(200, PrintHistory(context.ReadOnce<EntryStore>([&](EntryStore& entries) {
                          return entries.History(before, limit, anime_id);
                        })));
}

// GET, PATCH /users/me/list/settings -- whether the automatic rules apply (entry_rules.h). Not in the original.
Response GetListSettings(Request&, Context& context) {
  const bool has = context.ReadOnce<EntryStore>([](EntryStore& entries) { return entries.HasAutoRules(); });
  return Response::Json(200, JsonWriter().Object().Add("auto_rules", has).Finish());
}

Response PatchListSettings(Request& request, Context& context) {
  const bool has = ReadJsonBody(request, [](const JsonObject& in) { return in.Bool("auto_rules"); });
  context.Write<EntryStore>([&](EntryStore& entries) { entries.SetAutoRules(has); });
  return Response::Json(200, JsonWriter().Object().Add("auto_rules", has).Finish());
}

// GET /users/me/recommendations -- titles outside the list that have one of its weightiest genres, by score. `cold=top`:
// the top of the catalogue for an empty list. `rank=match`: by how much of the list's taste they meet. `unseen_sequels=hide`:
// without those that follow a title outside the list.
Response GetRecommendations(Request& request, Context& context) {
  constexpr std::string_view kCold[] = {"none", "top"}, kRanks[] = {"score", "match"},
                             kUnseen[] = {"show", "hide"};
  ParameterInput in(request);
  RecommendationRules rules;
  rules.limit = in.Query("limit").Int(1, 50).value_or(rules.limit);
  rules.is_by_match = in.Query("rank").Choice(kRanks) == 1;
  rules.hides_unseen_sequels = in.Query("unseen_sequels").Choice(kUnseen) == 1;
  const bool wants_top = in.Query("cold").Choice(kCold) == 1;
  const Shown shown = ReadShown(in);
  in.ThrowIfAny();
  if (rules.is_by_match) LimitSearches(request, context);
  const Settings& settings = context.config().Of<Settings>();
  rules.weights = {settings.anime_weight_completed, settings.anime_weight_watching,
                   settings.anime_weight_on_hold, settings.anime_weight_plan_to_watch,
                   settings.anime_weight_dropped};
  const auto titles = context.Read<TitleStore, EntryStore>([&](TitleStore& store, EntryStore& entries) {
    auto recommended = store.Recommend(context.user(), rules);
    if (recommended.empty() && wants_top && entries.Room() == kMaxEntries)
      recommended = store.List({}, {.limit = rules.limit}, /*with_total=*/false).titles;
    return recommended;
  });
  return Response::Json(200, PrintTitles(titles, shown));
}

}  // namespace syncline::anime
