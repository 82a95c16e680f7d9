#pragma once
// The methods of collection sync, as rows; see README.md.
#include <span>

#include "handlers/base/route.h"

namespace syncline::anki {

std::span<const Route> Routes();

}  // namespace syncline::anki
