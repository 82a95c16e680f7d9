#pragma once
// What Prometheus is told.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::front {

/// GET /metrics -- what all processes of this machine have counted, and what the database knows of jobs and blobs.
/// Without the database only the former, and syncline_up{what="database"} is 0. nginx passes it on from a
/// loopback address only.
Response GetMetrics(Request& request, Context& context);

}  // namespace syncline::front
