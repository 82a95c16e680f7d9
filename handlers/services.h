#pragma once
// The list of services, and what all programs take from it.
#include <span>
#include <vector>

#include "handlers/base/service.h"

namespace syncline {

/// In the order in which the doctor asks them.
std::span<const Service* const> Services();

/// The settings of all services.
std::vector<SettingGroup> AllSettings();
/// Every kind of job that this build knows. Throws std::logic_error when two have one name.
std::vector<JobKind> AllJobs();

}  // namespace syncline
