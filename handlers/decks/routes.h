#pragma once
// The routes of this service.
#include <span>

#include "handlers/base/route.h"

namespace syncline::decks {

std::span<const Route> Routes();

}  // namespace syncline::decks
