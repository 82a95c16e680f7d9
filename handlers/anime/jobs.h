#pragma once
// The background jobs of the anime service.
#include <span>

#include "handlers/base/job.h"

namespace syncline::anime {

std::span<const JobKind> Jobs();

}  // namespace syncline::anime
