#pragma once
// Every kind of job this build knows: the lists of the services and the worker's own housekeeping.
#include <vector>

#include "handlers/base/job.h"

namespace syncline {

/// Throws std::logic_error when two kinds have one name.
std::vector<JobKind> JobKinds();

}  // namespace syncline
