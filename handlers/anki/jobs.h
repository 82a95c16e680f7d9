#pragma once
#include <span>

#include "handlers/base/job.h"

namespace syncline::anki {

std::span<const JobKind> Jobs();

}  // namespace syncline::anki
