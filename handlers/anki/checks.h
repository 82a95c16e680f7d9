#pragma once
// This service's checks for syncline-admin doctor.
#include <span>

#include "handlers/base/doctor_check.h"

namespace syncline::anki {

std::span<const DoctorCheck> Checks();

}  // namespace syncline::anki
