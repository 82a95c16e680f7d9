#pragma once
// Decks as files.
#include <vector>

#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"
#include "handlers/base/service.h"

namespace syncline::decks {

Response PostBatchDownload(Request& request, Context& context);
Response GetDeckFile(Request& request, Context& context);

/// For Service::export_files: the account's own decks, each as a package too.
std::vector<ExportedFile> ExportFiles(Context& context);

}  // namespace syncline::decks
