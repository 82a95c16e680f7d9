#pragma once
// A job's progress for the account that enqueued it: by polling, or as server-sent events. Long work goes on when nobody
// looks, and whoever comes later sees the same job.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::jobs {

Response GetJob(Request& request, Context& context);
/// Answers 202: a running body learns of it at its next step.
Response PostCancel(Request& request, Context& context);
Response GetJobEvents(Request& request, Context& context);

}  // namespace syncline::jobs
