#pragma once
// The background jobs of this service.
#include <span>

#include "handlers/base/job.h"

namespace syncline::decks {

std::span<const JobKind> Jobs();

}  // namespace syncline::decks
