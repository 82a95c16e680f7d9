#include "handlers/anime/list_import_flow.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "handlers/anime/entry_store.h"
#include "handlers/anime/list_import_store.h"
#include "handlers/anime/mal_xml_wire.h"
#include "handlers/anime/sync_flow.h"
#include "handlers/base/disk_reserve.h"
#include "handlers/base/errors.h"
#include "handlers/base/temp_file.h"

namespace syncline::anime {
namespace {

// Entries in one transaction. Its locks are those of the account's own entries, so they may last a little.
constexpr std::size_t kBatch = 500;
// Notes of a kind that are kept; all are counted.
constexpr std::int64_t kKeptNotes = 500;

const std::string kTooManyUnknown = "the catalogue does not have this title, and " +
                                    std::to_string(kMaxStubs) +
                                    " others that your files have named are not fetched yet";
const std::string kListFull = "the list has " + std::to_string(kMaxEntries) + " entries and takes no more";

// Passes a body on to the reader while storing it.
class KeptBody : public BodySource {
 public:
  KeptBody(BodySource& body, BlobWriter& writer, DiskReserve& disk)
      : body_(body), writer_(writer), disk_(disk) {}
  std::size_t Read(char* buffer, std::size_t size) override {
    const std::size_t got = body_.Read(buffer, size);
    bytes_ += got;
    disk_.Wrote(got);
    writer_.Write({buffer, got});
    return got;
  }
  std::size_t bytes() const { return bytes_; }

 private:
  BodySource& body_;
  BlobWriter& writer_;
  DiskReserve& disk_;
  std::size_t bytes_ = 0;
};

// A batch within its transaction.
class Batch {
 public:
  Batch(UserId user, ImportStrategy strategy, bool is_dry_run, const ImportCounts& counts)
      : user_(user), strategy_(strategy), is_dry_run_(is_dry_run), counts_(counts) {}

  // `fresh`: whether an entry is the first one of the file for its title.
  void Run(ListImportStore& imports, EntryStore& entries, sql::Tx& tx,
           const std::vector<std::pair<MalEntry, bool>>& files) {
    std::vector<std::int64_t> ids;
    std::vector<StubTitle> named;
    for (const auto& [file, is_first] : files) {
      if (file.failure || !is_first) continue;
      ids.push_back(*file.mal_id);
      named.push_back({*file.mal_id, file.title, file.type, file.episodes});
    }
    FindTitles(imports, entries, tx, ids, std::move(named));
    for (Entry& entry : is_dry_run_ ? entries.FindAllByMal(ids) : entries.LockAllByMal(ids)) {
      const std::int64_t mal_id = entry.title.mal_id;
      stored_.emplace(mal_id, std::move(entry));
    }
    // A dry run has not added the entries that it has counted.
    room_ = std::max<std::int64_t>(0, entries.Room() - (is_dry_run_ ? counts_.added : 0));
    for (const auto& [file, is_first] : files) Take(file, is_first);
    if (!is_dry_run_) Apply(entries);
  }

  const ImportCounts& counts() const { return counts_; }
  const std::vector<ImportNote>& notes() const { return notes_; }

 private:
  void FindTitles(ListImportStore& imports, EntryStore& entries, sql::Tx& tx,
                  const std::vector<std::int64_t>& ids, std::vector<StubTitle> named) {
    const auto find = [&] {
      for (EntryTitle& title : entries.TitlesByMal(ids)) {
        const std::int64_t mal_id = title.mal_id;
        titles_.insert_or_assign(mal_id, std::move(title));
      }
    };
    find();
    std::erase_if(named, [&](const StubTitle& title) { return titles_.contains(title.mal_id); });
    if (named.empty()) return;
    const std::int64_t room = imports.RoomForStubs() - (is_dry_run_ ? counts_.unknown_titles : 0);
    const auto taken = static_cast<std::size_t>(std::max<std::int64_t>(room, 0));
    for (std::size_t i = taken; i < named.size(); ++i) unnamed_.insert(named[i].mal_id);
    named.resize(std::min(named.size(), taken));
    if (is_dry_run_) {
      counts_.unknown_titles += static_cast<std::int64_t>(named.size());
      return;
    }
    const std::vector<std::int64_t> added = imports.AddStubs(std::move(named));
    counts_.unknown_titles += static_cast<std::int64_t>(added.size());
    for (const std::int64_t mal_id : added) EnqueueSyncInBackground(tx, mal_id, user_);
    find();
  }

  void Take(const MalEntry& file, bool is_first) {
    ++counts_.read;
    if (file.failure) return Fail(file, *file.failure);
    for (const MalProblem& problem : file.problems) Warn(file, problem);
    if (!is_first) return Warn(file, {"series_animedb_id", "it is in the file before: this one is ignored"});
    if (unnamed_.contains(*file.mal_id)) return Fail(file, kTooManyUnknown);
    const auto stored = stored_.find(*file.mal_id);
    const bool is_there = stored != stored_.end();
    if (!is_there && room_ == 0) return Fail(file, kListFull);
    Imported result = Import(is_there ? std::optional(stored->second.fields) : std::nullopt, file, strategy_);
    for (const MalProblem& problem : result.problems) Warn(file, problem);
    switch (result.what) {
      case Imported::What::kAdded:
        ++counts_.added;
        --room_;
        results_.emplace(*file.mal_id, std::move(result.fields));
        break;
      case Imported::What::kUpdated:
        ++counts_.updated;
        results_.emplace(*file.mal_id, std::move(result.fields));
        break;
      case Imported::What::kUnchanged:
        ++counts_.unchanged;
        break;
      case Imported::What::kKept:
        ++counts_.kept;
        Note("kept", counts_.kept, file, std::nullopt, "exists, kept");
        break;
    }
  }

  // By ascending title, as entries are locked.
  void Apply(EntryStore& entries) {
    std::map<std::int64_t, std::int64_t> by_title;
    for (const auto& [mal_id, fields] : results_) by_title.emplace(titles_.at(mal_id).id, mal_id);
    for (const auto& [anime_id, mal_id] : by_title) {
      const EntryFields& fields = results_.at(mal_id);
      const auto stored = stored_.find(mal_id);
      if (stored != stored_.end()) {
        entries.Change(stored->second, fields);
      } else if (!entries.Add(titles_.at(mal_id), fields)) {
        // The owner has just added it concurrently. The next attempt sees it.
        throw Conflict("list_changed");
      }
    }
  }

  void Fail(const MalEntry& file, const std::string& reason) {
    ++counts_.failed;
    Note("failed", counts_.failed, file, std::nullopt, reason);
  }

  void Warn(const MalEntry& file, const MalProblem& problem) {
    ++counts_.warnings;
    Note("warning", counts_.warnings, file, problem.field, problem.reason);
  }

  void Note(const char* kind, std::int64_t number, const MalEntry& file, std::optional<std::string> field,
            const std::string& reason) {
    if (number > kKeptNotes) return;
    notes_.push_back({kind, file.position, file.mal_id, file.title, std::move(field), reason});
  }

  const UserId user_;
  const ImportStrategy strategy_;
  const bool is_dry_run_;
  ImportCounts counts_;
  std::vector<ImportNote> notes_;
  std::map<std::int64_t, EntryTitle> titles_;    // by id at MAL
  std::set<std::int64_t> unnamed_;               // ids at MAL of titles that may not be added
  std::int64_t room_ = 0;                        // for further entries
  std::map<std::int64_t, Entry> stored_;         // by id at MAL
  std::map<std::int64_t, EntryFields> results_;  // by id at MAL
};

class Importer {
 public:
  Importer(Context& context, JobControl& control, JobId id, const ListImport& import)
      : context_(context), control_(control), id_(id), import_(import), counts_(import.counts) {}

  void Take(MalEntry&& file) {
    const bool is_first = file.failure || seen_.insert(*file.mal_id).second;
    // Done before this attempt.
    if (file.position <= import_.counts.read) return;
    files_.emplace_back(std::move(file), is_first);
    if (files_.size() == kBatch) Run();
  }

  void Finish() {
    Run();
    context_.Write<ListImportStore, Transaction>([&](ListImportStore& imports, Transaction& transaction) {
      if (import_.is_dry_run) imports.Save(id_, 0, counts_, notes_);
      imports.Done(id_);
      control_.FinishIn(transaction.tx);
    });
  }

 private:
  void Run() {
    control_.Progress(counts_.read, import_.entries, import_.is_dry_run ? "comparing" : "importing");
    if (files_.empty()) return;
    const auto run = [&](ListImportStore& imports, EntryStore& entries, Transaction& transaction) {
      Batch batch(context_.user(), import_.strategy, import_.is_dry_run, counts_);
      batch.Run(imports, entries, transaction.tx, files_);
      if (!import_.is_dry_run) imports.Save(id_, counts_.read, batch.counts(), batch.notes());
      return batch;
    };
    const Batch batch = import_.is_dry_run ? context_.Read<ListImportStore, EntryStore, Transaction>(run)
                                           : context_.Write<ListImportStore, EntryStore, Transaction>(run);
    counts_ = batch.counts();
    notes_.insert(notes_.end(), batch.notes().begin(), batch.notes().end());
    files_.clear();
  }

  Context& context_;
  JobControl& control_;
  const JobId id_;
  const ListImport& import_;
  ImportCounts counts_;
  std::vector<ImportNote> notes_;
  std::vector<std::pair<MalEntry, bool>> files_;
  std::set<std::int64_t> seen_;
};

}  // namespace

JobId ReceiveList(Context& context, BodySource& body, std::optional<std::size_t> bytes,
                  ImportStrategy strategy, bool is_dry_run) {
  return context.WithDatabase([&](sql::Database& database) {
    const auto expected = static_cast<std::int64_t>(bytes.value_or(0));
    Reservation room(database, context.user(), expected);
    DiskReserve disk(context);
    // In the database and in its log.
    disk.Require(2 * expected);
    BlobWriter writer(database, &room);
    KeptBody kept(body, writer, disk);
    std::int64_t entries = 0;
    try {
      entries = ReadMalXml(kept, [](MalEntry&&) {});
    } catch (const Error&) {
      if (kept.bytes() == 0) throw BadInput("empty_body");
      throw;
    }
    const BlobInfo file = writer.Finish();
    const JobId id =
        context.Write<ListImportStore, Transaction>([&](ListImportStore& imports, Transaction& transaction) {
          room.Settle(transaction.tx);
          return imports.Add({strategy, is_dry_run, entries, file});
        });
    writer.Keep();
    return id;
  });
}

void ImportList(const Job& job, Context& context, JobControl& control) {
  const auto import =
      context.ReadOnce<ListImportStore>([&](ListImportStore& imports) { return imports.Find(job.id); });
  // The account has been removed.
  if (!import || !import->file) return;
  TempFile file(context.config().temp_dir);
  context.WithDatabase([&](sql::Database& database) {
    ReadBlob(database, context.user(), kService, *import->file,
             [&](std::string_view bytes) { file.Write(bytes); });
  });
  Importer importer(context, control, job.id, *import);
  TempFileSource source(file);
  ReadMalXml(source, [&](MalEntry&& entry) { importer.Take(std::move(entry)); });
  importer.Finish();
}

}  // namespace syncline::anime
