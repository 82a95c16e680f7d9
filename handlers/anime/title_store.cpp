#include "handlers/anime/title_store.h"

#include <algorithm>
#include <limits>

#include "handlers/anime/title_rules.h"
#include "handlers/anime/word_wire.h"
#include "handlers/base/utf8.h"
#include "sql/queries/anime.h"

namespace syncline::anime {
namespace {

// Shorter texts are similar to everything.
constexpr std::size_t kLeastSimilar = 4;

// "12 8 genre Drama", see the view anime_shown.
Genre ReadGenre(std::string_view text) {
  Genre genre;
  genre.id = TakeNumber(text);
  genre.mal_id = TakeNumber(text);
  genre.kind = TakeWord(text);
  genre.name = text;
  return genre;
}

Title ReadTitle(const sql::Row& row) {
  using Text = std::optional<std::string>;
  using Number = std::optional<std::int64_t>;
  Title title;
  title.id = row["anime_id"].As<std::int64_t>();
  title.mal_id = row["mal_id"].As<std::int64_t>();
  title.title = row["title"].As<std::string>();
  title.title_english = row["title_english"].As<Text>();
  title.title_japanese = row["title_japanese"].As<Text>();
  title.synonyms = row["synonyms"].As<std::vector<std::string>>();
  title.synopsis = row["synopsis"].As<Text>();
  title.score = row["score"].As<std::optional<double>>();
  title.episodes = row["episodes"].As<Number>();
  title.status = row["status"].As<Text>();
  title.season = row["season"].As<Text>();
  title.year = row["year"].As<Number>();
  title.image_url = row["image_url"].As<Text>();
  title.type = row["type"].As<Text>();
  title.rating = row["rating"].As<Text>();
  title.aired_from = row["aired_from"].As<Text>();
  title.aired_to = row["aired_to"].As<Text>();
  title.scored_by = row["scored_by"].As<Number>();
  title.rank = row["rank"].As<Number>();
  title.popularity = row["popularity"].As<Number>();
  title.members = row["members"].As<Number>();
  title.source = row["source"].As<std::string>();
  title.sync_state = row["sync_state"].As<std::string>();
  title.synced_at = row["synced_at"].As<std::optional<sql::Time>>();
  title.stale_at = row["stale_at"].As<sql::Time>();
  title.created_at = row["created_at"].As<sql::Time>();
  title.updated_at = row["updated_at"].As<sql::Time>();
  for (const std::string& genre : row["genres"].As<std::vector<std::string>>())
    title.genres.push_back(ReadGenre(genre));
  return title;
}

std::vector<Title> ReadTitles(const sql::Rows& rows) {
  std::vector<Title> titles;
  titles.reserve(static_cast<std::size_t>(rows.size()));
  for (const sql::Row row : rows) titles.push_back(ReadTitle(row));
  return titles;
}

std::int64_t ReadCount(const sql::Rows& rows) {
  return rows[0]["titles"].As<std::int64_t>();
}

}  // namespace

std::optional<Title> TitleStore::Find(std::int64_t id) {
  const auto row = tx_.MaybeOne(sql::anime::find_title, id);
  return row ? std::optional(ReadTitle(*row)) : std::nullopt;
}

std::optional<Title> TitleStore::FindByMal(std::int64_t mal_id) {
  const auto row = tx_.MaybeOne(sql::anime::find_title_by_mal, mal_id);
  return row ? std::optional(ReadTitle(*row)) : std::nullopt;
}

bool TitleStore::IsMissing(std::int64_t mal_id) {
  return tx_.MaybeOne(sql::anime::find_missing, mal_id).has_value();
}

FoundTitles TitleStore::List(const TitleFilter& filter, const TitlePage& page, bool with_total) {
  const std::string search = FoldedForSearch(filter.search.value_or(""));
  const std::optional<std::string> pattern =
      search.empty() ? std::nullopt : std::optional(PatternFor(search));
  const std::optional<std::string> genre = filter.genre && !filter.genre->empty()
                                               ? std::optional(PatternFor(FoldedForSearch(*filter.genre)))
                                               : std::nullopt;
  const std::optional<std::string> type =
      filter.type ? std::optional(FoldedForSearch(*filter.type)) : std::nullopt;
  FoundTitles found;
  std::optional<sql::Asked<std::int64_t>> total;
  if (with_total) {
    total.emplace(
        tx_.Ask(sql::anime::count_titles, filter.status, filter.season, filter.year, filter.min_score,
                pattern, genre, filter.with_all_genre_kinds, type, filter.genre_ids, filter.is_safe),
        ReadCount);
  }
  if (filter.IsEmpty() && page.order == "score") {
    found.titles = ReadTitles(tx_.Query(sql::anime::list_titles, page.limit, page.offset));
  } else {
    found.titles =
        ReadTitles(tx_.Query(sql::anime::search_titles, filter.status, filter.season, filter.year,
                             filter.min_score, pattern, genre, filter.with_all_genre_kinds, type,
                             filter.genre_ids, filter.is_safe, page.order, page.limit, page.offset));
  }
  if (total) found.total = total->Get();
  if (!found.titles.empty() || CountCharacters(search) < kLeastSimilar) return found;
  found.titles =
      ReadTitles(tx_.Query(sql::anime::search_titles_with_typos, filter.status, filter.season, filter.year,
                           filter.min_score, pattern, genre, filter.with_all_genre_kinds, type,
                           filter.genre_ids, filter.is_safe, search, page.limit, page.offset));
  found.is_similar = !found.titles.empty();
  return found;
}

std::pair<Title, bool> TitleStore::Add(const NewTitle& title) {
  std::vector<std::string> titles{title.title};
  for (const auto& other : {title.title_english, title.title_japanese}) {
    if (other) titles.push_back(*other);
  }
  const bool is_new = tx_.MaybeOne(sql::anime::add_title, title.mal_id, title.title, title.title_english,
                                   title.title_japanese, SearchTextOf(titles), title.synopsis, title.score,
                                   title.episodes, title.status, title.season, title.year, title.image_url)
                          .has_value();
  return {ReadTitle(tx_.One(sql::anime::find_title_by_mal, title.mal_id)), !is_new};
}

std::vector<GenreCount> TitleStore::Genres(bool all_kinds) {
  std::vector<GenreCount> genres;
  for (const sql::Row row : tx_.Query(sql::anime::list_genres, all_kinds)) {
    genres.push_back({.genre = {.id = row["genre_id"].As<std::int64_t>(),
                                .mal_id = row["mal_id"].As<std::optional<std::int64_t>>().value_or(0),
                                .kind = row["kind"].As<std::string>(),
                                .name = row["name"].As<std::string>()},
                      .titles = row["titles"].As<std::int64_t>()});
  }
  return genres;
}

std::optional<Relations> TitleStore::RelationsOf(std::int64_t id) {
  sql::Answer state = tx_.Ask(sql::anime::find_relations_state, id);
  Relations relations;
  for (const sql::Row row : tx_.Query(sql::anime::list_relations, id)) {
    relations.all.push_back({.relation = row["relation"].As<std::string>(),
                             .kind = row["kind"].As<std::string>(),
                             .name = row["name"].As<std::string>(),
                             .mal_id = row["related_mal_id"].As<std::int64_t>(),
                             .anime_id = row["anime_id"].As<std::optional<std::int64_t>>()});
  }
  const sql::Rows& rows = state.Get();
  if (rows.empty()) return std::nullopt;
  relations.mal_id = rows[0]["mal_id"].As<std::int64_t>();
  relations.are_known = rows[0]["are_known"].As<bool>();
  return relations;
}

std::vector<Title> TitleStore::Recommend(UserId user, const RecommendationRules& rules) {
  return ReadTitles(tx_.Query(rules.is_by_match ? sql::anime::recommend_by_match : sql::anime::recommend,
                              user, rules.limit, rules.weights, rules.hides_unseen_sequels));
}

}  // namespace syncline::anime
