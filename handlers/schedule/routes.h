#pragma once
// The routes of the schedule service.
#include <span>

#include "handlers/base/route.h"

namespace syncline::schedule {

std::span<const Route> Routes();

}  // namespace syncline::schedule
