#pragma once
// The metrics page for Prometheus.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::front {

/// GET /metrics -- the counters of all processes of this machine, and the state of jobs and blobs in the
/// database. Without the database only the counters, and syncline_up{what="database"} is 0. nginx forwards it
/// only for clients on this machine.
Response GetMetrics(Request& request, Context& context);

}  // namespace syncline::front
