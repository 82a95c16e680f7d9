#pragma once
// What the doctor asks of the workers and of their queue.
#include <span>

#include "handlers/base/doctor_check.h"

namespace syncline::jobs {

std::span<const DoctorCheck> Checks();

}  // namespace syncline::jobs
