#pragma once
// This service's entry in the list of services.
#include "handlers/base/service.h"

namespace syncline::account {

const Service& ThisService();

}  // namespace syncline::account
