#pragma once
// The background jobs of this service; what each does is in jobs.cpp.
#include <span>

#include "handlers/base/job.h"

namespace syncline::anki {

std::span<const JobKind> Jobs();

}  // namespace syncline::anki
