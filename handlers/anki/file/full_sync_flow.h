#pragma once
// The files behind full syncs: receiving and checking one, making the first, bringing the base file up to
// date for a download, turning a file into rows. What the database keeps of it is FullSyncStore's; here are
// the steps between temporary files, blobs and transactions, for the handlers, the jobs and syncline-admin.
// Slow, so never inside a transaction; killed anywhere, it leaves the collection as it was.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "handlers/anki/collection/collection_store.h"
#include "handlers/anki/collection/session_store.h"
#include "handlers/anki/file/file_wire.h"
#include "handlers/anki/file/full_sync_store.h"
#include "handlers/base/context.h"
#include "handlers/base/job.h"
#include "handlers/base/request.h"
#include "handlers/base/temp_file.h"

namespace syncline::anki {

/// Receives an uploaded file (zstd, one frame), checks it, and puts it in place of the collection. Answers
/// within the client's stall limit of 30 s: turning it into rows is a job. Throws FileRefused with a text for
/// the user, Error for anything else (bad_zstd; over_quota). `client` is the version of who sent it, for the
/// report that is kept when values in the file are odd.
void ReceiveUpload(Context& context, BodySource& body, const std::string& client);

/// Gives an account without data its first, empty collection: what a device gets that chooses to download it.
void EnsureCollection(Context& context);

/// The current collection as a file: the base file itself while nothing has changed since, else that file
/// with the changes applied.
struct Download {
  BlobId verbatim{};               ///< not 0: send this blob, it is the zstd frame
  std::unique_ptr<TempFile> file;  ///< else this plain file
  std::uint64_t bytes = 0;         ///< of the file, uncompressed
};
Download PrepareDownload(Context& context);

/// The base file of a collection in a private place.
std::unique_ptr<TempFile> FetchBase(Context& context, const Collection& collection);

/// Answers a sync's questions about rows of a base file that are not imported yet.
std::unique_ptr<ImportingFile> OpenImporting(Context& context, const Collection& collection);

/// Rows of the base file become rows of the tables, step by step; a repeated run goes on where the last one
/// ended.
void ImportFile(Context& context, std::int32_t generation, JobControl& control);

/// A replaced collection becomes a file and its rows go. Safe to repeat. `between_steps` may throw to stop
/// it.
void ArchiveGeneration(Context& context, std::int32_t generation, const std::function<void()>& between_steps);

/// Makes a replaced collection the current one again, with a new schema time, so that every client is asked
/// to download. Error NotFound "no_such_generation".
void Restore(Context& context, std::int32_t generation);

}  // namespace syncline::anki
