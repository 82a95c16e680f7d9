#pragma once
// The files behind full syncs: receives and checks an upload, creates the first file, brings the base file up
// to date for a download, turns a file into rows. FullSyncStore has the database part; this file connects
// temporary files, blobs and transactions, for the handlers, the jobs and syncline-admin. Slow, so never call
// these inside a transaction. A process that dies in one of them leaves the collection consistent.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "handlers/anki/collection/collection_store.h"
#include "handlers/anki/file/file_wire.h"
#include "handlers/anki/file/full_sync_store.h"
#include "handlers/base/blobs.h"
#include "handlers/base/context.h"
#include "handlers/base/job.h"
#include "handlers/base/request.h"
#include "handlers/base/temp_file.h"

namespace syncline::anki {

/// kFrame: one zstd frame, which is kept as it is. kPlain: the file itself.
enum class UploadForm { kFrame, kPlain };

/// Receives an uploaded file, checks it, and replaces the collection with it. The import of
/// its rows is a job, so that the answer meets the client's stall limit of 30 s. Throws FileRefused with a
/// message for the user, Error for anything else (bad_zstd; over_quota and disk_full, if possible before the
/// body is read). `bytes`: of
/// the body as received, if known. `client` is the client's version, for the report on odd values.
void ReceiveUpload(Context& context, BodySource& body, UploadForm form, std::optional<std::size_t> bytes,
                   const std::string& client);

/// Creates an empty collection for an account without data, for a device that syncs or downloads first.
void EnsureCollection(Context& context);

/// The current collection as a file: the base file itself if nothing has changed since, else a copy with the
/// changes applied.
struct Download {
  BlobId verbatim{};               ///< if `file` is null: send this blob, a zstd frame
  std::unique_ptr<TempFile> file;  ///< else send this uncompressed file
  std::uint64_t bytes = 0;         ///< uncompressed size of the file
};
Download PrepareDownload(Context& context);

/// The same in schema 11, which clients before 2.1.57 need; always a file.
Download PrepareOldDownload(Context& context);
/// As PrepareDownload, always as a private, uncompressed file.
std::unique_ptr<TempFile> CurrentFile(Context& context);

/// The checks of an upload, for a file from another source. Throws as ReceiveUpload; returns the values that
/// were not read as stored.
Adjustments CheckCollection(Context& context, const TempFile& plain);

/// Makes a checked file the collection of an account that has none, with the head and the usns of the file,
/// so that devices continue with normal syncs. Not limited by the quota. A job imports its rows, as for an
/// upload. False: the account has a collection by now.
bool BeginWith(Context& context, const TempFile& plain);

/// A private, uncompressed copy of a collection's base file.
std::unique_ptr<TempFile> FetchBase(Context& context, const Collection& collection);

/// Imports the rows of the base file into the tables, in steps; a repeated run continues after the last step.
/// Error StorageFull "disk_full": try again when there is room.
void ImportFile(Context& context, std::int32_t generation, JobControl& control);

/// Turns a replaced collection into a file and deletes its rows. Idempotent. `between_steps` may throw to
/// stop it. Error StorageFull "disk_full".
void ArchiveGeneration(Context& context, std::int32_t generation, const std::function<void()>& between_steps);

/// Makes one of our files the current collection, with a new schema time, so that every client is asked to
/// download, and a usn above all that clients have seen. `meta`: of that collection. `stored`: the blob that
/// holds the file, if there is one. In the transaction `begin` runs once the collection is locked, `end` after
/// everything else.
void ReplaceForAll(Context& context, std::unique_ptr<TempFile> file, const CollectionMeta& meta,
                   std::optional<BlobId> stored, const std::function<void(sql::Tx&)>& begin,
                   const std::function<void(sql::Tx&)>& end);

/// Checks `plain`, a private, uncompressed collection file that no device has uploaded, and replaces the collection
/// with it: with a new schema time, so that every client is asked to download, and without pending changes
/// (in the file itself, too). `room`: for the stored bytes. `begin`, `end`: as for ReplaceForAll. Throws as
/// ReceiveUpload.
void ReplaceCollection(Context& context, const TempFile& plain, Reservation& room,
                       const std::function<void(sql::Tx&)>& begin, const std::function<void(sql::Tx&)>& end);

}  // namespace syncline::anki
