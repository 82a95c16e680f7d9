#pragma once
// The routes of accounts; see README.md.
#include <span>

#include "handlers/base/route.h"

namespace syncline::account {

std::span<const Route> Routes();

}  // namespace syncline::account
