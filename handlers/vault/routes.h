#pragma once
// The routes of this service.
#include <span>

#include "handlers/base/route.h"

namespace syncline::vault {

std::span<const Route> Routes();

}  // namespace syncline::vault
