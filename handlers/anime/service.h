#pragma once
// This service's entry in the list of services.
#include "handlers/base/service.h"

namespace syncline::anime {

const Service& ThisService();

}  // namespace syncline::anime
