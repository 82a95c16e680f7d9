#pragma once
// A job's progress for the account that enqueued it: by polling, or as server-sent events. The job runs
// whether or not a client watches it.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::jobs {

Response GetJob(Request& request, Context& context);
/// Answers 202: a running body is stopped at its next Progress.
Response PostCancel(Request& request, Context& context);
Response GetJobEvents(Request& request, Context& context);

}  // namespace syncline::jobs
