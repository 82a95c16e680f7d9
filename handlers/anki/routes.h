#pragma once
// The route table of collection sync; see README.md.
#include <span>

#include "handlers/base/route.h"

namespace syncline::anki {

std::span<const Route> Routes();

}  // namespace syncline::anki
