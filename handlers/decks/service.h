#pragma once
// The decks service: its row in handlers/services.cpp.
#include "handlers/base/service.h"

namespace syncline::decks {

const Service& ThisService();

}  // namespace syncline::decks
