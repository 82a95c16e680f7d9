#pragma once
// The background jobs of the schedule service.
#include <span>

#include "handlers/base/job.h"

namespace syncline::schedule {

std::span<const JobKind> Jobs();

}  // namespace syncline::schedule
