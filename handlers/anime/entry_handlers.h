#pragma once
// An account's list: /users/me/list. The handlers are described in the .cpp.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::anime {

Response GetList(Request& request, Context& context);
Response PostEntry(Request& request, Context& context);
Response GetEntry(Request& request, Context& context);
Response PatchEntry(Request& request, Context& context);
Response DeleteEntry(Request& request, Context& context);
Response PutEntryByMal(Request& request, Context& context);
Response PostIncrement(Request& request, Context& context);
Response GetListStats(Request& request, Context& context);
Response GetListHistory(Request& request, Context& context);
Response GetListSettings(Request& request, Context& context);
Response PatchListSettings(Request& request, Context& context);
Response GetRecommendations(Request& request, Context& context);

}  // namespace syncline::anime
