#pragma once
// The background jobs of this service.
#include <span>

#include "handlers/base/job.h"

namespace syncline::vault {

std::span<const JobKind> Jobs();

}  // namespace syncline::vault
