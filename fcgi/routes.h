#pragma once
// The tables of all services, and the front's own routes: /healthz, /readyz and /metrics.
#include <span>
#include <vector>

#include "handlers/base/route.h"

namespace syncline::front {

/// The dialect of paths that belong to no service.
extern const Dialect kFrontDialect;

std::vector<std::span<const Route>> AllRoutes();

}  // namespace syncline::front
