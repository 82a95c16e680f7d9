#include "handlers/anime/title_wire.h"

#include <algorithm>

#include "handlers/anime/title_rules.h"
#include "handlers/base/timestamp.h"
#include "handlers/base/utf8.h"

namespace syncline::anime {
namespace {

constexpr std::size_t kMaxText = 255, kMaxUrl = 2'048, kMaxSearch = 100, kMaxGenreText = 200;
constexpr std::size_t kAnyLength = 1 << 20;
constexpr std::size_t kMaxGenreIds = 20;
// All titles before a page are read.
constexpr std::int64_t kMaxOffset = 50'000;
constexpr std::string_view kFull[] = {"full", "default"};
constexpr std::string_view kGenreKinds[] = {"default", "all"};
constexpr std::string_view kOrders[] = {"score", "title", "newest", "members"};

std::optional<std::string> WordAt(std::span<const std::string_view> words, std::optional<std::size_t> index) {
  return index ? std::optional<std::string>(words[*index]) : std::nullopt;
}

// As Python's strip, of the blanks of ASCII and the wide one.
std::string Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\v\f";
  constexpr std::string_view kWide = "\u3000", kNoBreak = "\u00a0";
  for (bool has_more = true; has_more;) {
    has_more = false;
    for (const std::string_view blank : {kWide, kNoBreak}) {
      if (text.starts_with(blank)) text.remove_prefix(blank.size()), has_more = true;
      if (text.ends_with(blank)) text.remove_suffix(blank.size()), has_more = true;
    }
    while (!text.empty() && kBlanks.find(text.front()) != std::string_view::npos)
      text.remove_prefix(1), has_more = true;
    while (!text.empty() && kBlanks.find(text.back()) != std::string_view::npos)
      text.remove_suffix(1), has_more = true;
  }
  return std::string(text);
}

std::string TrimmedText(const JsonValue& value, std::size_t max, std::size_t min) {
  std::string text = Trimmed(value.Text(kAnyLength));
  if (const auto problem = CheckText(text, max, min)) value.Refuse(*problem);
  return text;
}

std::optional<std::string> ReadUrl(const JsonObject& in) {
  auto url = in.Maybe("image_url").Text(kMaxUrl);
  if (url && !url->starts_with("http://") && !url->starts_with("https://"))
    in["image_url"].Refuse(NotAccepted("not an http or https address"));
  return url;
}

}  // namespace

Shown ReadShown(ParameterInput& in) {
  return {.is_full = in.Query("fields").Choice(kFull) == 0,
          .with_all_genre_kinds = in.Query("genre_kinds").Choice(kGenreKinds) == 1};
}

void AddTitle(JsonWriter& json, const Title& title, const Shown& shown) {
  json.Object()
      .Add("title", title.title)
      .Add("title_english", title.title_english)
      .Add("title_japanese", title.title_japanese)
      .Add("synopsis", title.synopsis)
      .Add("score", title.score)
      .Add("episodes", title.episodes)
      .Add("status", title.status)
      .Add("season", title.season)
      .Add("year", title.year)
      .Add("image_url", title.image_url)
      .Add("id", title.id)
      .Add("mal_id", title.mal_id)
      .Add("created_at", PrintTimestamp(title.created_at))
      .Add("updated_at", PrintTimestamp(title.updated_at))
      .Array("genres");
  for (const Genre& genre : title.genres) {
    if (!shown.with_all_genre_kinds && genre.kind != "genre" && genre.kind != "theme") continue;
    json.Object().Add("id", genre.id).Add("name", genre.name);
    json.Add("mal_id", genre.mal_id == 0 ? std::nullopt : std::optional(genre.mal_id));
    if (shown.with_all_genre_kinds) json.Add("kind", genre.kind);
    json.End();
  }
  json.End();
  if (shown.is_full) {
    json.Add("synonyms", title.synonyms)
        .Add("type", title.type)
        .Add("rating", title.rating)
        .Add("aired_from", title.aired_from)
        .Add("aired_to", title.aired_to)
        .Add("scored_by", title.scored_by)
        .Add("rank", title.rank)
        .Add("popularity", title.popularity)
        .Add("members", title.members)
        .Add("source", title.source)
        .Add("sync_state", title.sync_state)
        .Add("synced_at", title.synced_at ? std::optional(PrintTimestamp(*title.synced_at)) : std::nullopt);
  }
  json.End();
}

std::string PrintTitle(const Title& title, const Shown& shown) {
  JsonWriter json;
  AddTitle(json, title, shown);
  return json.Finish();
}

std::string PrintTitles(const std::vector<Title>& titles, const Shown& shown) {
  JsonWriter json;
  json.Array();
  for (const Title& title : titles) AddTitle(json, title, shown);
  return json.Finish();
}

std::string PrintRelations(const std::vector<Relation>& relations) {
  JsonWriter json;
  json.Array();
  for (auto first = relations.begin(); first != relations.end();) {
    const auto end = std::find_if(first, relations.end(),
                                  [&](const Relation& one) { return one.relation != first->relation; });
    json.Object().Add("relation", first->relation).Array("entry");
    for (; first != end; ++first) {
      json.Object()
          .Add("mal_id", first->mal_id)
          .Add("type", first->kind)
          .Add("name", first->name)
          .Add("anime_id", first->anime_id)
          .End();
    }
    json.End().End();
  }
  return json.Finish();
}

std::string PrintGenres(const std::vector<GenreCount>& genres) {
  JsonWriter json;
  json.Array();
  for (const GenreCount& one : genres) {
    json.Object().Add("id", one.genre.id).Add("name", one.genre.name);
    json.Add("mal_id", one.genre.mal_id == 0 ? std::nullopt : std::optional(one.genre.mal_id));
    json.Add("kind", one.genre.kind).Add("titles", one.titles).End();
  }
  return json.Finish();
}

TitleFilter ReadTitleFilter(ParameterInput& in) {
  TitleFilter filter;
  filter.genre = in.Query("genre").Text(kMaxGenreText);
  filter.status = WordAt(kStatuses, in.Query("status").Choice(kStatuses));
  filter.season = WordAt(kSeasons, in.Query("season").Choice(kSeasons));
  filter.year = in.Query("year").Int(kMinYear, kMaxYear);
  filter.min_score = in.Query("min_score").Double(0, 10);
  filter.search = in.Query("search").Text(kMaxSearch);
  // An empty text filters nothing.
  if (filter.genre && filter.genre->empty()) filter.genre.reset();
  if (filter.search && filter.search->empty()) filter.search.reset();
  filter.type = in.Query("type").Text(kMaxGenreText);
  for (const Parameter& id : in.Queries("genre_id", kMaxGenreIds)) {
    if (const auto value = id.Int(1, kMaxId)) filter.genre_ids.push_back(*value);
  }
  std::sort(filter.genre_ids.begin(), filter.genre_ids.end());
  filter.genre_ids.erase(std::unique(filter.genre_ids.begin(), filter.genre_ids.end()),
                         filter.genre_ids.end());
  filter.is_safe = in.Query("sfw").Bool().value_or(false);
  return filter;
}

TitlePage ReadTitlePage(ParameterInput& in) {
  TitlePage page;
  page.limit = in.Query("limit").Int(1, 100).value_or(page.limit);
  page.offset = in.Query("offset").Int(0, kMaxOffset).value_or(0);
  page.order = WordAt(kOrders, in.Query("sort").Choice(kOrders)).value_or(page.order);
  return page;
}

NewTitle ReadNewTitle(const JsonObject& in) {
  NewTitle title;
  title.title = TrimmedText(in["title"], kMaxText, 1);
  title.title_english = in.Maybe("title_english").Text(kMaxText, 1);
  title.title_japanese = in.Maybe("title_japanese").Text(kMaxText);
  title.synopsis = in.Maybe("synopsis").Text(kMaxSynopsis);
  title.score = in.Maybe("score").Double(0, 10);
  title.episodes = in.Maybe("episodes").Int(0, kMaxId);
  title.status = WordAt(kStatuses, in.Maybe("status").Choice(kStatuses));
  title.season = WordAt(kSeasons, in.Maybe("season").Choice(kSeasons));
  title.year = in.Maybe("year").Int(kMinYear, kMaxYear);
  title.image_url = ReadUrl(in);
  title.mal_id = in.Int("mal_id", 1, kMaxId);
  return title;
}

}  // namespace syncline::anime
