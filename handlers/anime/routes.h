#pragma once
// The table of routes of the anime service.
#include <span>

#include "handlers/base/route.h"

namespace syncline::anime {

std::span<const Route> Routes();

}  // namespace syncline::anime
