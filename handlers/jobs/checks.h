#pragma once
// The doctor's checks of the workers and their queue.
#include <span>

#include "handlers/base/doctor_check.h"

namespace syncline::jobs {

std::span<const DoctorCheck> Checks();

}  // namespace syncline::jobs
