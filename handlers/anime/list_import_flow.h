#pragma once
// Imports a MyAnimeList file into the caller's list: the request stores the file, and a job imports it.
//
// The file is validated completely before it is accepted, so that an invalid one is refused at once. The job
// works in batches; each is one transaction that also records the position, so a killed job continues after
// the last batch. Titles that the catalogue does not have are added with the data in the file, and one job
// per title fetches the rest within the background budget.
#include <cstddef>
#include <optional>

#include "handlers/anime/list_import_rules.h"
#include "handlers/base/context.h"
#include "handlers/base/job.h"
#include "handlers/base/request.h"

namespace syncline::anime {

/// Stores a file while it is received, and enqueues the job that imports it. Throws as ReadMalXml, and Error
/// BadInput "empty_body", StorageFull "over_quota", "disk_full".
JobId ReceiveList(Context& context, BodySource& body, std::optional<std::size_t> bytes,
                  ImportStrategy strategy, bool is_dry_run);

/// The body of the job "anime.import_list".
void ImportList(const Job& job, Context& context, JobControl& control);

}  // namespace syncline::anime
