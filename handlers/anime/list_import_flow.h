#pragma once
// Imports a file of MyAnimeList into the caller's list: the request keeps the file, and a job reads it.
//
// The file is read whole before it is accepted, so that one which is no such list is refused at once. The job works in
// batches, each of which is one transaction together with how far it has come; a killed job goes on behind the last batch.
// Titles that the catalogue does not have are added with what the file says of them, and a job each fetches the rest
// within the budget of background work.
#include <cstddef>
#include <optional>

#include "handlers/anime/list_import_rules.h"
#include "handlers/base/context.h"
#include "handlers/base/job.h"
#include "handlers/base/request.h"

namespace syncline::anime {

/// Keeps a file that is being received, and enqueues the job that imports it. Throws as ReadMalXml, and Error BadInput
/// "empty_body", StorageFull "over_quota", "disk_full".
JobId ReceiveList(Context& context, BodySource& body, std::optional<std::size_t> bytes,
                  ImportStrategy strategy, bool is_dry_run);

/// The body of the job "anime.import_list".
void ImportList(const Job& job, Context& context, JobControl& control);

}  // namespace syncline::anime
