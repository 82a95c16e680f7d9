#pragma once
// The route table of jobs over HTTP; see README.md.
#include <span>

#include "handlers/base/route.h"

namespace syncline::jobs {

std::span<const Route> Routes();

}  // namespace syncline::jobs
