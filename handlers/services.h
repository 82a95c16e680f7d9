#pragma once
// The list of services, and what all programs take from it.
#include <span>
#include <vector>

#include "handlers/base/service.h"

namespace syncline {

/// The settings of all services.
std::vector<SettingGroup> AllSettings();
/// Every kind of job of this build. Throws std::logic_error if two have the same name.
std::vector<JobKind> AllJobs();

}  // namespace syncline
