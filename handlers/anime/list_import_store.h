#pragma once
// Imports of lists: the rows with their report and position; and titles that are known only from a file so
// far.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "handlers/anime/list_import_rules.h"
#include "handlers/base/blobs.h"
#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::anime {

inline constexpr std::string_view kService = "anime";  ///< owner of the blobs

struct NewListImport {
  ImportStrategy strategy{};
  bool is_dry_run = false;
  std::int64_t entries = 0;  ///< of the file
  BlobInfo file;
};

/// Counts of a file's entries processed so far.
struct ImportCounts {
  std::int64_t read = 0;  ///< entries that were looked at; the others are parts of it, except the last two
  std::int64_t added = 0, updated = 0, unchanged = 0, kept = 0, failed = 0;
  std::int64_t warnings = 0, unknown_titles = 0;
};

/// An entry for the owner's attention.
struct ImportNote {
  std::string kind;           ///< "failed", "kept", "warning"
  std::int64_t position = 0;  ///< in the file, from 1
  std::optional<std::int64_t> mal_id;
  std::string title;
  std::optional<std::string> field;
  std::string reason;
};

struct ListImport {
  ImportStrategy strategy{};
  bool is_dry_run = false;
  std::int64_t entries = 0, file_bytes = 0;
  std::optional<BlobId> file;  ///< none: it has ended
  std::string state;           ///< "pending", "done", "failed"
  std::optional<std::string> code;
  ImportCounts counts;
  sql::Time created_at{};
  std::optional<sql::Time> finished_at;
  std::optional<std::string> job_state;  ///< none: the job is no longer kept
  std::int64_t progress = 0;             ///< of the job, in entries
};

/// An import that the sweep has found.
struct ImportOfAccount {
  UserId user{};
  JobId job{};
  bool is_cancelled = false;  ///< its job
};

/// How many unfetched titles the files of one account may name. Without the limit anybody could fill the
/// catalogue.
inline constexpr std::int64_t kMaxStubs = 5'000;

struct StubTitle {
  std::int64_t mal_id = 0;
  std::string title;  ///< may be empty
  std::optional<std::string> type;
  std::optional<std::int64_t> episodes;
};

class ListImportStore {
 public:
  ListImportStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  /// Adds the import, the reference to its file, and its job. Throws as BlobRefs::Add.
  JobId Add(const NewListImport& import);
  std::optional<ListImport> Find(JobId id);
  std::vector<ImportNote> Notes(JobId id);
  /// Records that the entries after `read_before` up to counts.read are done. Throws Error Conflict "import_moved" if
  /// another worker has done them, or the import has ended.
  void Save(JobId id, std::int64_t read_before, const ImportCounts& counts,
            const std::vector<ImportNote>& notes);
  /// Ends a pending import, and releases its file. Idempotent.
  void Done(JobId id) { End(id, "done", std::nullopt); }
  void Failed(JobId id, const std::string& code) { End(id, "failed", code); }
  void Delete(JobId id);

  /// How many titles this account may still name (kMaxStubs).
  std::int64_t RoomForStubs();
  /// Adds titles, each id once. Returns the ids of those that were not there.
  std::vector<std::int64_t> AddStubs(std::vector<StubTitle> titles);

  /// Imports of all accounts that are older than `days`, at most `limit`.
  std::vector<ImportOfAccount> Expired(std::int64_t days, std::int64_t limit);
  /// Pending imports of all accounts whose job was cancelled or has failed for good, at most `limit`.
  std::vector<ImportOfAccount> Stranded(std::int64_t limit);

 private:
  void End(JobId id, const char* state, const std::optional<std::string>& code);
  void Release(const std::optional<sql::Row>& row);

  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::anime
