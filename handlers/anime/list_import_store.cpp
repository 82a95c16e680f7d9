#include "handlers/anime/list_import_store.h"

#include <algorithm>

#include "handlers/anime/title_rules.h"
#include "handlers/base/errors.h"
#include "handlers/base/job.h"
#include "sql/queries/anime.h"

namespace syncline::anime {
namespace {

ImportStrategy StrategyOf(const std::string& word) {
  const auto* found = std::find(std::begin(kImportStrategies), std::end(kImportStrategies), word);
  return static_cast<ImportStrategy>(found - std::begin(kImportStrategies));
}

}  // namespace

JobId ListImportStore::Add(const NewListImport& import) {
  BlobRefs(tx_, user_).Add(kService, import.file);
  // The job is found by its number, which is that of the import.
  const JobId id = EnqueueJob(tx_, {.kind = "anime.import_list", .user = user_});
  tx_.Later(sql::anime::insert_import, user_, id,
            kImportStrategies[static_cast<std::size_t>(import.strategy)], import.is_dry_run, import.entries,
            import.file.size_bytes, import.file.id);
  return id;
}

std::optional<ListImport> ListImportStore::Find(JobId id) {
  const auto found = tx_.MaybeOne(sql::anime::find_import, user_, id);
  if (!found) return std::nullopt;
  const sql::Row& row = *found;
  const auto number = [&](const char* column) { return row[column].As<std::int64_t>(); };
  ListImport import;
  import.strategy = StrategyOf(row["strategy"].As<std::string>());
  import.is_dry_run = row["is_dry_run"].As<bool>();
  import.entries = number("entries");
  import.file_bytes = number("file_bytes");
  if (!row["blob_id"].IsNull()) import.file = row["blob_id"].As<BlobId>();
  import.state = row["state"].As<std::string>();
  import.code = row["code"].As<std::optional<std::string>>();
  import.counts = {.read = number("read"),
                   .added = number("added"),
                   .updated = number("updated"),
                   .unchanged = number("unchanged"),
                   .kept = number("kept"),
                   .failed = number("failed"),
                   .warnings = number("warnings"),
                   .unknown_titles = number("unknown_titles")};
  import.created_at = row["created_at"].As<sql::Time>();
  import.finished_at = row["finished_at"].As<std::optional<sql::Time>>();
  import.job_state = row["job_state"].As<std::optional<std::string>>();
  import.progress = row["progress_done"].As<std::optional<std::int64_t>>().value_or(0);
  return import;
}

std::vector<ImportNote> ListImportStore::Notes(JobId id) {
  std::vector<ImportNote> notes;
  for (const sql::Row row : tx_.Query(sql::anime::list_import_notes, user_, id)) {
    notes.push_back({.kind = row["kind"].As<std::string>(),
                     .position = row["position"].As<std::int64_t>(),
                     .mal_id = row["mal_id"].As<std::optional<std::int64_t>>(),
                     .title = row["title"].As<std::string>(),
                     .field = row["field"].As<std::optional<std::string>>(),
                     .reason = row["reason"].As<std::string>()});
  }
  return notes;
}

void ListImportStore::Save(JobId id, std::int64_t read_before, const ImportCounts& counts,
                           const std::vector<ImportNote>& notes) {
  const auto rows =
      tx_.Execute(sql::anime::save_import, user_, id, read_before, counts.read, counts.added, counts.updated,
                  counts.unchanged, counts.kept, counts.failed, counts.warnings, counts.unknown_titles);
  if (rows == 0) throw Conflict("import_moved");
  if (notes.empty()) return;
  std::vector<std::string> kinds, titles, fields, reasons;
  std::vector<std::int64_t> positions, mal_ids;
  for (const ImportNote& note : notes) {
    kinds.push_back(note.kind);
    positions.push_back(note.position);
    mal_ids.push_back(note.mal_id.value_or(0));
    titles.push_back(note.title);
    fields.push_back(note.field.value_or(""));
    reasons.push_back(note.reason);
  }
  tx_.Later(sql::anime::insert_import_notes, user_, id, kinds, positions, mal_ids, titles, fields, reasons);
}

void ListImportStore::Release(const std::optional<sql::Row>& row) {
  if (row && !(*row)["blob_id"].IsNull())
    BlobRefs(tx_, user_).Release(kService, (*row)["blob_id"].As<BlobId>());
}

void ListImportStore::End(JobId id, const char* state, const std::optional<std::string>& code) {
  Release(tx_.MaybeOne(sql::anime::end_import, user_, id, state, code));
}

void ListImportStore::Delete(JobId id) {
  Release(tx_.MaybeOne(sql::anime::delete_import, user_, id));
}

std::int64_t ListImportStore::RoomForStubs() {
  return kMaxStubs - tx_.One(sql::anime::count_stubs, user_, kMaxStubs)["titles"].As<std::int64_t>();
}

std::vector<std::int64_t> ListImportStore::AddStubs(std::vector<StubTitle> titles) {
  std::sort(titles.begin(), titles.end(),
            [](const StubTitle& a, const StubTitle& b) { return a.mal_id < b.mal_id; });
  std::vector<std::int64_t> ids, episodes;
  std::vector<std::string> names, search_texts, types;
  for (const StubTitle& title : titles) {
    ids.push_back(title.mal_id);
    names.push_back(title.title.empty() ? "MAL " + std::to_string(title.mal_id) : title.title);
    search_texts.push_back(SearchTextOf({&names.back(), 1}));
    types.push_back(title.type.value_or(""));
    episodes.push_back(title.episodes.value_or(0));
  }
  return tx_.Query(sql::anime::add_stub_titles, ids, names, search_texts, types, episodes, user_)
      .Column<std::int64_t>("mal_id");
}

std::vector<ImportOfAccount> ListImportStore::Expired(std::int64_t days, std::int64_t limit) {
  std::vector<ImportOfAccount> expired;
  for (const sql::Row row : tx_.Query(sql::anime::expired_imports, days, limit))
    expired.push_back({row["user_id"].As<UserId>(), row["job_id"].As<JobId>()});
  return expired;
}

std::vector<ImportOfAccount> ListImportStore::Stranded(std::int64_t limit) {
  std::vector<ImportOfAccount> stranded;
  for (const sql::Row row : tx_.Query(sql::anime::stranded_imports, limit))
    stranded.push_back(
        {row["user_id"].As<UserId>(), row["job_id"].As<JobId>(), row["is_cancelled"].As<bool>()});
  return stranded;
}

}  // namespace syncline::anime
