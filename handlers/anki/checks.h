#pragma once
// What the doctor asks of this service.
#include <span>

#include "handlers/base/doctor_check.h"

namespace syncline::anki {

std::span<const DoctorCheck> Checks();

}  // namespace syncline::anki
