#include "handlers/anime/entry_store.h"

#include "handlers/anime/title_rules.h"
#include "sql/queries/anime.h"

namespace syncline::anime {
namespace {

constexpr std::int64_t kTopGenres = 10;
// After all entries.
constexpr sql::Time kEndOfTime = std::chrono::sys_days(std::chrono::year(2200) / 1 / 1);

EntryTitle ReadEntryTitle(const sql::Row& row, const char* score) {
  return {.id = row["anime_id"].As<std::int64_t>(),
          .mal_id = row["mal_id"].As<std::int64_t>(),
          .title = row["title"].As<std::string>(),
          .image_url = row["image_url"].As<std::optional<std::string>>(),
          .score = row[score].As<std::optional<double>>(),
          .episodes = row["episodes"].As<std::optional<std::int64_t>>()};
}

Entry ReadEntry(const sql::Row& row) {
  using Text = std::optional<std::string>;
  Entry entry;
  entry.id = row["entry_id"].As<std::int64_t>();
  entry.fields = {.status = row["status"].As<std::string>(),
                  .score = row["score"].As<std::optional<double>>(),
                  .progress = row["progress"].As<std::optional<std::int64_t>>(),
                  .started_on = row["started_on"].As<Text>(),
                  .finished_on = row["finished_on"].As<Text>(),
                  .rewatches = row["rewatches"].As<std::int64_t>(),
                  .rewatching = row["rewatching"].As<bool>(),
                  .notes = row["notes"].As<Text>(),
                  .priority = row["priority"].As<std::int64_t>(),
                  .tags = row["tags"].As<std::vector<std::string>>(),
                  .is_private = row["is_private"].As<bool>()};
  entry.revision = row["revision"].As<std::int64_t>();
  entry.created_at = row["created_at"].As<sql::Time>();
  entry.updated_at = row["updated_at"].As<sql::Time>();
  entry.title = ReadEntryTitle(row, "title_score");
  return entry;
}

std::vector<Entry> ReadEntries(const sql::Rows& rows) {
  std::vector<Entry> entries;
  entries.reserve(static_cast<std::size_t>(rows.size()));
  for (const sql::Row row : rows) entries.push_back(ReadEntry(row));
  return entries;
}

std::optional<ListChange::State> ReadState(const sql::Row& row, const std::string& side) {
  const auto field = [&](const char* name) { return row[(name + side).c_str()]; };
  if (field("status").IsNull()) return std::nullopt;
  return ListChange::State{.status = field("status").As<std::string>(),
                           .score = field("score").As<std::optional<double>>(),
                           .progress = field("progress").As<std::optional<std::int64_t>>(),
                           .rewatches = field("rewatches").As<std::optional<std::int64_t>>().value_or(0)};
}

}  // namespace

std::vector<Entry> EntryStore::List(const std::optional<std::string>& status, std::int64_t limit,
                                    const std::optional<Entry>& after) {
  const sql::Time time = after ? after->created_at : kEndOfTime;
  const std::int64_t id = after ? after->id : 0;
  return ReadEntries(status ? tx_.Query(sql::anime::list_entries_of_status, user_, *status, time, id, limit)
                            : tx_.Query(sql::anime::list_entries, user_, time, id, limit));
}

std::int64_t EntryStore::Number(const std::optional<std::string>& status) {
  return tx_.One(sql::anime::count_entries, user_, status, std::nullopt)["entries"].As<std::int64_t>();
}

std::int64_t EntryStore::Room() {
  return kMaxEntries -
         tx_.One(sql::anime::count_list_entries, user_, kMaxEntries)["entries"].As<std::int64_t>();
}

std::pair<std::vector<Entry>, std::int64_t> EntryStore::Page(const EntryFilter& filter,
                                                             const EntryPage& page) {
  const auto pattern = filter.search && !filter.search->empty()
                           ? std::optional(PatternFor(FoldedForSearch(*filter.search)))
                           : std::nullopt;
  sql::Answer count = tx_.Ask(sql::anime::count_entries, user_, filter.status, pattern);
  std::vector<Entry> entries = ReadEntries(tx_.Query(sql::anime::page_entries, user_, filter.status, pattern,
                                                     page.order, page.limit, page.offset));
  return {std::move(entries), count.Get()[0]["entries"].As<std::int64_t>()};
}

std::optional<Entry> EntryStore::Find(std::int64_t anime_id) {
  const auto row = tx_.MaybeOne(sql::anime::find_entry, user_, anime_id);
  return row ? std::optional(ReadEntry(*row)) : std::nullopt;
}

EntryStore::Current EntryStore::Lock(std::int64_t anime_id) {
  sql::Answer title = tx_.Ask(sql::anime::find_title_for_entry, anime_id);
  sql::Answer settings = tx_.Ask(sql::anime::find_settings, user_);
  Current current;
  if (const auto row = tx_.MaybeOne(sql::anime::lock_entry, user_, anime_id)) current.entry = ReadEntry(*row);
  if (const sql::Rows& rows = title.Get(); !rows.empty()) current.title = ReadEntryTitle(rows[0], "score");
  const sql::Rows& rows = settings.Get();
  current.has_auto_rules = !rows.empty() && rows[0]["auto_rules"].As<bool>();
  return current;
}

std::vector<EntryTitle> EntryStore::TitlesByMal(const std::vector<std::int64_t>& mal_ids) {
  std::vector<EntryTitle> titles;
  for (const sql::Row row : tx_.Query(sql::anime::find_titles_for_entries, mal_ids))
    titles.push_back(ReadEntryTitle(row, "score"));
  return titles;
}

std::vector<Entry> EntryStore::FindAllByMal(const std::vector<std::int64_t>& mal_ids) {
  return ReadEntries(tx_.Query(sql::anime::find_entries_by_mal, user_, mal_ids));
}

std::vector<Entry> EntryStore::LockAllByMal(const std::vector<std::int64_t>& mal_ids) {
  return ReadEntries(tx_.Query(sql::anime::lock_entries_by_mal, user_, mal_ids));
}

std::vector<ExportedEntry> EntryStore::Export(std::int64_t after, std::int64_t limit) {
  std::vector<ExportedEntry> entries;
  for (const sql::Row row : tx_.Query(sql::anime::export_entries, user_, after, limit))
    entries.push_back({ReadEntry(row), row["type"].As<std::optional<std::string>>()});
  return entries;
}

std::optional<Entry> EntryStore::Add(const EntryTitle& title, const EntryFields& fields) {
  const auto row =
      tx_.MaybeOne(sql::anime::add_entry, user_, title.id, fields.status, fields.score, fields.progress,
                   fields.started_on, fields.finished_on, fields.rewatches, fields.rewatching, fields.notes,
                   fields.priority, fields.tags, fields.is_private);
  if (!row) return std::nullopt;
  return Entry{.id = (*row)["entry_id"].As<std::int64_t>(),
               .fields = fields,
               .revision = (*row)["revision"].As<std::int64_t>(),
               .created_at = (*row)["created_at"].As<sql::Time>(),
               .updated_at = (*row)["updated_at"].As<sql::Time>(),
               .title = title};
}

Entry EntryStore::Change(const Entry& entry, const EntryFields& fields) {
  const auto row = tx_.One(sql::anime::change_entry, user_, entry.title.id, fields.status, fields.score,
                           fields.progress, fields.started_on, fields.finished_on, fields.rewatches,
                           fields.rewatching, fields.notes, fields.priority, fields.tags, fields.is_private);
  Entry changed = entry;
  changed.fields = fields;
  changed.revision = row["revision"].As<std::int64_t>();
  changed.updated_at = row["updated_at"].As<sql::Time>();
  return changed;
}

bool EntryStore::Delete(std::int64_t anime_id) {
  return tx_.MaybeOne(sql::anime::delete_entry, user_, anime_id).has_value();
}

ListCounts EntryStore::Count() {
  sql::Answer genres = tx_.Ask(sql::anime::count_genres_of_list, user_, kTopGenres);
  const auto row = tx_.One(sql::anime::count_list, user_);
  const auto number = [&](const char* column) { return row[column].As<std::int64_t>(); };
  ListCounts counts{.total = number("total"),
                    .watching = number("watching"),
                    .completed = number("completed"),
                    .plan_to_watch = number("plan_to_watch"),
                    .dropped = number("dropped"),
                    .on_hold = number("on_hold"),
                    .episodes_watched = number("episodes_watched"),
                    .rewatches = number("rewatches"),
                    .scored = number("scored"),
                    .mean_score = row["mean_score"].As<std::optional<double>>(),
                    .top_genres = {}};
  for (const sql::Row genre : genres.Get()) {
    counts.top_genres.push_back({.id = genre["genre_id"].As<std::int64_t>(),
                                 .name = genre["name"].As<std::string>(),
                                 .count = genre["entries"].As<std::int64_t>(),
                                 .mean_score = genre["mean_score"].As<std::optional<double>>()});
  }
  return counts;
}

std::vector<ListChange> EntryStore::History(std::int64_t before, std::int64_t limit,
                                            std::optional<std::int64_t> anime_id) {
  std::vector<ListChange> changes;
  for (const sql::Row row :
       anime_id ? tx_.Query(sql::anime::list_history_of_title, user_, before, limit, *anime_id)
                : tx_.Query(sql::anime::list_history, user_, before, limit)) {
    changes.push_back({.id = row["change_id"].As<std::int64_t>(),
                       .anime_id = row["anime_id"].As<std::int64_t>(),
                       .mal_id = row["mal_id"].As<std::int64_t>(),
                       .title = row["title"].As<std::string>(),
                       .changed_at = row["changed_at"].As<sql::Time>(),
                       .before = ReadState(row, "_before"),
                       .after = ReadState(row, "_after")});
  }
  return changes;
}

bool EntryStore::HasAutoRules() {
  const auto row = tx_.MaybeOne(sql::anime::find_settings, user_);
  return row && (*row)["auto_rules"].As<bool>();
}

void EntryStore::SetAutoRules(bool has) {
  tx_.Later(sql::anime::save_settings, user_, has);
}

}  // namespace syncline::anime
