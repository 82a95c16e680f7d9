#include "handlers/anki/package/import_store.h"

#include <limits>

#include "handlers/base/job.h"
#include "sql/queries/anki.h"

namespace syncline::anki {
namespace {

constexpr int kPageRows = 20'000;

// Calls each(row) for all pages of a statement; the first column is the id that the pages go by.
template <typename Each>
void EachPage(sql::Tx& tx, const sql::Statement& statement, UserId user, std::int32_t generation, Each each) {
  std::int64_t after = std::numeric_limits<std::int64_t>::min();
  for (int rows = kPageRows; rows == kPageRows;) {
    rows = 0;
    tx.Each(
        statement,
        [&](const sql::Row& row) {
          ++rows;
          after = row[0].As<std::int64_t>();
          each(row);
        },
        user, generation, after, kPageRows);
  }
}

}  // namespace

const char* NameOf(PackageKind kind) {
  return kind == PackageKind::kColpkg ? "colpkg" : "apkg";
}

JobId ImportStore::Add(const NewImport& import) {
  BlobRefs(tx_, user_).Add(kService, import.package);
  // The job is found by its number, which is that of the import.
  const JobId id = EnqueueJob(tx_, {.kind = "anki.import_package", .user = user_});
  tx_.Later(sql::anki::insert_import, user_, id, NameOf(import.kind), import.options, import.file_name,
            import.package.size_bytes, import.package.id);
  return id;
}

std::optional<ImportRow> ImportStore::Find(JobId id) {
  const auto found = tx_.MaybeOne(sql::anki::find_import, user_, id);
  if (!found) return std::nullopt;
  const sql::Row& row = *found;
  ImportRow import;
  import.kind = row["kind"].As<std::string>() == "colpkg" ? PackageKind::kColpkg : PackageKind::kApkg;
  import.options = row["options"].As<std::string>();
  import.file_name = row["file_name"].As<std::optional<std::string>>();
  import.file_bytes = row["file_bytes"].As<std::int64_t>();
  if (!row["blob_id"].IsNull()) import.package = row["blob_id"].As<BlobId>();
  import.state = row["state"].As<std::string>();
  import.code = row["code"].As<std::optional<std::string>>();
  import.message = row["message"].As<std::optional<std::string>>();
  import.report = row["report"].As<std::optional<std::string>>();
  import.job_state = row["job_state"].As<std::optional<std::string>>();
  if (!row["progress_done"].IsNull()) {
    import.done = row["progress_done"].As<std::int64_t>();
    import.total = row["progress_total"].As<std::int64_t>();
    import.step = row["progress_message"].As<std::string>();
  }
  return import;
}

void ImportStore::End(JobId id, const char* state, const std::optional<std::string>& code,
                      const std::optional<std::string>& message, const std::optional<std::string>& report) {
  const auto row = tx_.MaybeOne(sql::anki::end_import, user_, id, state, code, message, report);
  if (row && !(*row)["blob_id"].IsNull())
    BlobRefs(tx_, user_).Release(kService, (*row)["blob_id"].As<BlobId>());
}

void ImportStore::Done(JobId id, const std::string& report) {
  End(id, "done", std::nullopt, std::nullopt, report);
}

void ImportStore::Failed(JobId id, const std::string& code, const std::string& message) {
  End(id, "failed", code, message, std::nullopt);
}

void ImportStore::Delete(JobId id) {
  const auto row = tx_.MaybeOne(sql::anki::delete_import, user_, id);
  if (row && !(*row)["blob_id"].IsNull())
    BlobRefs(tx_, user_).Release(kService, (*row)["blob_id"].As<BlobId>());
}

void ImportStore::EachNote(
    std::int32_t generation,
    const std::function<void(std::int64_t, std::string, std::int64_t, std::int64_t)>& note) {
  EachPage(tx_, sql::anki::note_keys, user_, generation, [&](const sql::Row& row) {
    note(row[0].As<std::int64_t>(), row[1].As<std::string>(), row[2].As<std::int64_t>(),
         row[3].As<std::int64_t>());
  });
}

void ImportStore::EachCard(std::int32_t generation,
                           const std::function<void(std::int64_t, std::int64_t, std::int32_t)>& card) {
  EachPage(tx_, sql::anki::card_keys, user_, generation, [&](const sql::Row& row) {
    card(row[0].As<std::int64_t>(), row[1].As<std::int64_t>(), row[2].As<std::int32_t>());
  });
}

std::vector<Note> ImportStore::NotesByGuid(std::int32_t generation, const std::vector<std::string>& guids) {
  std::vector<Note> notes;
  for (const sql::Row row : tx_.Query(sql::anki::notes_by_guid, user_, generation, guids))
    notes.push_back(CollectionStore::NoteFromRow(row));
  return notes;
}

std::vector<std::string> ImportStore::GuidsOfNotes(std::int32_t generation,
                                                   const std::vector<std::int64_t>& notes) {
  return tx_.Query(sql::anki::guids_of_notes, user_, generation, notes).Column<std::string>("guid");
}

std::vector<Card> ImportStore::CardsOfNotes(std::int32_t generation, const std::vector<std::int64_t>& notes) {
  std::vector<Card> cards;
  for (const sql::Row row : tx_.Query(sql::anki::cards_of_notes, user_, generation, notes))
    cards.push_back(CollectionStore::CardFromRow(row));
  return cards;
}

std::vector<std::int64_t> ImportStore::KnownReviews(std::int32_t generation,
                                                    const std::vector<std::int64_t>& ids) {
  return tx_.Query(sql::anki::known_review_ids, user_, generation, ids).Column<std::int64_t>("id");
}

std::optional<std::string> ImportStore::LiveSession() {
  const auto row = tx_.MaybeOne(sql::anki::live_session, user_);
  return row ? std::optional((*row)["session_key"].As<std::string>()) : std::nullopt;
}

bool ImportStore::StartSession(const Collection& collection, std::string_view key, std::int64_t minutes) {
  return tx_.Execute(sql::anki::start_import_session, user_, key, collection.generation, collection.meta.usn,
                     minutes) > 0;
}

}  // namespace syncline::anki
