#pragma once
// Updates of the timetable: their records and progress, starting and cancelling them. A request never does
// the work itself; it may wait for it.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::schedule {

Response GetUpdates(Request& request, Context& context);
Response GetUpdate(Request& request, Context& context);
Response GetLatestUpdate(Request& request, Context& context);
Response GetUpdateGroups(Request& request, Context& context);
Response GetUpdateEvents(Request& request, Context& context);
Response PostTriggerSync(Request& request, Context& context);
Response PostTriggerSyncSync(Request& request, Context& context);
Response PostGroupSync(Request& request, Context& context);
Response PostUpdateCancel(Request& request, Context& context);

}  // namespace syncline::schedule
