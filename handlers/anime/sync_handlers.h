#pragma once
// Data fetched from the upstream on request: its unchanged answers (/anime/jikan), and jobs that store them
// (/anime/sync). The handlers are described in the .cpp.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::anime {

Response GetJikanTop(Request& request, Context& context);
Response GetJikanSearch(Request& request, Context& context);
Response GetJikanTitle(Request& request, Context& context);
Response PostSyncTitle(Request& request, Context& context);
Response PostSyncTop(Request& request, Context& context);
Response GetSyncJob(Request& request, Context& context);

/// Error Unauthenticated or Forbidden unless the setting anime_write_access lets the caller write into the catalogue.
void RequireWriter(const Context& context);

}  // namespace syncline::anime
