#pragma once
// The API of versions and events: /vault/vaults/{vault}/versions, purge, events.
#include <vector>

#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"
#include "handlers/base/service.h"

namespace syncline::vault {

Response GetVersions(Request& request, Context& context);
Response GetVersionContent(Request& request, Context& context);
Response PostRestore(Request& request, Context& context);
Response PostResolve(Request& request, Context& context);
Response PostPurge(Request& request, Context& context);
Response GetEvents(Request& request, Context& context);

/// The files of all vaults as they are.
std::vector<ExportedFile> ExportFiles(Context& context);

}  // namespace syncline::vault
