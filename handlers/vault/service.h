#pragma once
// The vault service: its row in handlers/services.cpp.
#include "handlers/base/service.h"

namespace syncline::vault {

const Service& ThisService();

}  // namespace syncline::vault
