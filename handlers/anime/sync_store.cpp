#include "handlers/anime/sync_store.h"

#include <algorithm>
#include <map>
#include <set>

#include "handlers/base/timestamp.h"
#include "sql/queries/anime.h"

namespace syncline::anime {
namespace {

std::optional<std::string> TextOf(const std::optional<std::chrono::year_month_day>& date) {
  return date ? std::optional(PrintDate(*date)) : std::nullopt;
}

template <typename Enum>
std::optional<std::string_view> WordOfMaybe(const std::optional<Enum>& value) {
  return value ? std::optional(WordOf(*value)) : std::nullopt;
}

std::optional<AiringStatus> StatusOf(std::string_view word) {
  for (const AiringStatus status :
       {AiringStatus::kAiring, AiringStatus::kFinished, AiringStatus::kUpcoming}) {
    if (word == WordOf(status)) return status;
  }
  return std::nullopt;
}

// `days`: since 1970.
std::optional<std::chrono::year_month_day> DayOf(std::optional<std::int64_t> days) {
  if (!days) return std::nullopt;
  return std::chrono::sys_days(std::chrono::days(static_cast<int>(*days)));
}

std::optional<std::string> TextOrNone(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

std::string SearchText(const JikanTitle& title) {
  std::vector<std::string> all{title.title};
  if (title.title_english) all.push_back(*title.title_english);
  if (title.title_japanese) all.push_back(*title.title_japanese);
  all.insert(all.end(), title.synonyms.begin(), title.synonyms.end());
  return SearchTextOf(all);
}

}  // namespace

std::optional<KnownCopy> SyncStore::Find(std::int64_t mal_id) {
  const auto row = tx_.MaybeOne(sql::anime::find_sync, mal_id);
  if (!row) return std::nullopt;
  const auto text = [&](const char* column) {
    return (*row)[column].As<std::optional<std::string>>().value_or("");
  };
  return KnownCopy{.is_manual = text("source") == "manual",
                   .has_content = (*row)["has_content"].As<bool>(),
                   .has_relations = (*row)["has_relations"].As<bool>(),
                   .failures = (*row)["sync_failures"].As<int>(),
                   .validators = {text("etag"), text("last_modified")},
                   .status = StatusOf(text("status")),
                   .aired_to = DayOf((*row)["aired_to_day"].As<std::optional<std::int64_t>>())};
}

void SyncStore::Save(std::span<const FreshTitle> titles, bool replaces_manual) {
  std::map<std::int64_t, const FreshTitle*> by_id;
  std::map<std::int64_t, const JikanGenre*> genres;
  for (const FreshTitle& fresh : titles) {
    by_id[fresh.title.mal_id] = &fresh;
    for (const JikanGenre& genre : fresh.title.genres) genres[genre.mal_id] = &genre;
  }
  std::vector<std::int64_t> ids;
  std::vector<std::string> names, kinds;
  for (const auto& [id, genre] : genres) {
    ids.push_back(id);
    names.push_back(genre->name);
    kinds.emplace_back(WordOf(genre->kind));
  }
  if (!ids.empty()) tx_.Later(sql::anime::save_genres, ids, names, kinds);
  for (const auto& [id, fresh] : by_id) {
    const JikanTitle& title = fresh->title;
    std::optional<std::string> synopsis;
    if (title.synopsis) synopsis = CutToCharacters(*title.synopsis, kMaxSynopsis);
    const auto from = TextOf(title.aired_from), to = TextOf(title.aired_to);
    const auto etag = TextOrNone(fresh->validators.etag),
               modified = TextOrNone(fresh->validators.last_modified);
    tx_.Later(sql::anime::save_title, id, title.title, title.title_english, title.title_japanese,
              title.synonyms, SearchText(title), synopsis, title.score, title.episodes,
              WordOfMaybe(title.status), WordOfMaybe(title.season), title.year, title.image_url, title.type,
              title.rating, from, to, title.scored_by, title.rank, title.popularity, title.members,
              fresh->stale_at, etag, modified, replaces_manual, IsExplicit(title),
              title.relations.has_value());
    std::vector<std::int64_t> of_title;
    for (const JikanGenre& genre : title.genres) of_title.push_back(genre.mal_id);
    tx_.Later(sql::anime::save_title_genres, id, of_title, replaces_manual);
    if (title.relations) SaveRelations(id, *title.relations, replaces_manual);
  }
}

void SyncStore::SaveRelations(std::int64_t mal_id, const std::vector<JikanRelation>& relations,
                              bool replaces_manual) {
  std::vector<std::string> words, kinds, names;
  std::vector<std::int64_t> ids;
  for (const JikanRelation& one : relations) {
    words.push_back(one.relation);
    kinds.emplace_back(one.is_manga ? "manga" : "anime");
    ids.push_back(one.mal_id);
    names.push_back(one.name);
  }
  tx_.Later(sql::anime::save_relations, mal_id, words, kinds, ids, names, replaces_manual);
}

void SyncStore::Confirm(std::int64_t mal_id, Time stale_at) {
  tx_.Later(sql::anime::confirm_title, mal_id, stale_at);
}

void SyncStore::MarkGone(std::int64_t mal_id, Time ask_again_at) {
  tx_.Later(sql::anime::mark_gone, mal_id, ask_again_at);
}

void SyncStore::MarkFailed(std::int64_t mal_id, const std::string& code, Time ask_again_at) {
  tx_.Later(sql::anime::mark_failed, mal_id, code, ask_again_at);
}

void SyncStore::RememberMissing(std::int64_t mal_id, std::chrono::seconds time) {
  tx_.Later(sql::anime::remember_missing, mal_id, time.count());
}

std::optional<SyncJob> SyncStore::FindJob(JobId id) {
  const auto row = tx_.MaybeOne(sql::anime::find_sync_job, id);
  if (!row) return std::nullopt;
  return SyncJob{.id = id,
                 .kind = (*row)["kind"].As<std::string>(),
                 .state = (*row)["state"].As<std::string>(),
                 .done = (*row)["progress_done"].As<std::int64_t>(),
                 .total = (*row)["progress_total"].As<std::int64_t>(),
                 .message = (*row)["progress_message"].As<std::string>(),
                 .error = (*row)["last_error"].As<std::optional<std::string>>()};
}

void SyncStore::SweepMissing() {
  tx_.Later(sql::anime::sweep_missing);
}

std::optional<std::int64_t> SyncStore::SweepStubs(std::int64_t after, std::int64_t limit) {
  std::vector<std::int64_t> ids =
      tx_.Query(sql::anime::lock_unknown_stubs, after, limit).Column<std::int64_t>("anime_id");
  if (ids.empty()) return std::nullopt;
  const std::int64_t last = ids.back();
  const auto named = tx_.Query(sql::anime::named_titles, ids).Column<std::int64_t>("anime_id");
  const std::set<std::int64_t> kept(named.begin(), named.end());
  std::erase_if(ids, [&](std::int64_t id) { return kept.contains(id); });
  if (!ids.empty()) tx_.Later(sql::anime::drop_stubs, ids);
  return last;
}

std::int64_t SyncStore::SweepHistory(std::int64_t days, std::int64_t limit) {
  return tx_.Execute(sql::anime::sweep_history, days, limit);
}

}  // namespace syncline::anime
