#pragma once
// Imports of packages: the rows with their state and report; the rows that a package is compared with; and
// the session in which an import stages.
//
// An import changes the collection like a device: it has a session (SessionStore), stages rows, and one transaction
// applies them. A device that begins a sync ends the import's session, and the import restarts. An import
// never ends the session of a device.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/anki/collection/collection_store.h"
#include "handlers/base/blobs.h"
#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::anki {

/// The kind of a package; only the file name shows it.
enum class PackageKind {
  kApkg,   ///< is merged into the collection
  kColpkg  ///< replaces the collection
};

/// "apkg" or "colpkg".
const char* NameOf(PackageKind kind);

struct NewImport {
  PackageKind kind{};
  std::string options;  ///< a JSON object
  std::optional<std::string> file_name;
  BlobInfo package;
};

struct ImportRow {
  PackageKind kind{};
  std::string options;
  std::optional<std::string> file_name;
  std::int64_t file_bytes = 0;
  std::optional<BlobId> package;  ///< none: it has ended
  std::string state;              ///< "pending", "done", "failed"
  std::optional<std::string> code, message, report;
  std::optional<std::string> job_state;  ///< none: the job is no longer kept
  std::int64_t done = 0, total = 0;      ///< progress of the job, in rows or files
  std::string step;
};

class ImportStore {
 public:
  ImportStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  /// Adds the import, the reference to its package, and its job. Throws as BlobRefs::Add.
  JobId Add(const NewImport& import);
  std::optional<ImportRow> Find(JobId id);
  /// Ends a pending import, and releases its package. Idempotent.
  void Done(JobId id, const std::string& report);
  void Failed(JobId id, const std::string& code, const std::string& message);
  void Delete(JobId id);

  void EachNote(std::int32_t generation,
                const std::function<void(std::int64_t id, std::string guid, std::int64_t mod,
                                         std::int64_t notetype)>& note);
  void EachCard(std::int32_t generation,
                const std::function<void(std::int64_t id, std::int64_t note, std::int32_t ord)>& card);
  /// Whole notes with these guids, by their ids: of several with one guid the last is the one that an import updates.
  std::vector<Note> NotesByGuid(std::int32_t generation, const std::vector<std::string>& guids);
  std::vector<std::string> GuidsOfNotes(std::int32_t generation, const std::vector<std::int64_t>& notes);
  std::vector<Card> CardsOfNotes(std::int32_t generation, const std::vector<std::int64_t>& notes);
  std::vector<std::int64_t> KnownReviews(std::int32_t generation, const std::vector<std::int64_t>& ids);

  /// The key of the account's live session.
  std::optional<std::string> LiveSession();
  /// Begins a session for an import; end an expired one first. False: a device has begun a session.
  bool StartSession(const Collection& collection, std::string_view key, std::int64_t minutes);

 private:
  void End(JobId id, const char* state, const std::optional<std::string>& code,
           const std::optional<std::string>& message, const std::optional<std::string>& report);

  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::anki
