#pragma once
// A service, as the programs see it: a name and its tables. Each service defines one in its service.cpp;
// handlers/services.cpp lists them. README.md, "A service", names every place that a new one touches.
#include <span>

#include "handlers/base/doctor_check.h"
#include "handlers/base/job.h"
#include "handlers/base/route.h"
#include "handlers/base/setting.h"

namespace syncline {

struct Service {
  const char* name;  ///< of its folder, of its statements, and of its operations up to the dot
  std::span<const Route> routes{};
  std::span<const Setting> settings{};
  std::span<const JobKind> jobs{};
  std::span<const DoctorCheck> checks{};
};

}  // namespace syncline
