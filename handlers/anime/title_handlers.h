#pragma once
// The catalogue: /anime and /genres. The handlers are described in the .cpp.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::anime {

Response GetTitles(Request& request, Context& context);
Response GetTitle(Request& request, Context& context);
Response GetTitleByMal(Request& request, Context& context);
Response GetRelations(Request& request, Context& context);
Response PostTitle(Request& request, Context& context);
Response GetHealth(Request& request, Context& context);
Response GetGenres(Request& request, Context& context);

/// For requests that read much of the catalogue: Error TooMany "too_many_requests" if this network sends too
/// many. Not counted without Redis.
void LimitSearches(const Request& request, Context& context);

}  // namespace syncline::anime
