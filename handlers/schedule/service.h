#pragma once
// This service's entry in the list of services.
#include "handlers/base/service.h"

namespace syncline::schedule {

const Service& ThisService();

}  // namespace syncline::schedule
