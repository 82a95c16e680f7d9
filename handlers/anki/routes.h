#pragma once
#include <span>

#include "handlers/base/route.h"

namespace syncline::anki {

std::span<const Route> Routes();

}  // namespace syncline::anki
