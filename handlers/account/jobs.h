#pragma once
// Background jobs for accounts and their blobs.
#include <span>

#include "handlers/base/job.h"

namespace syncline::account {

///   account.sweep_failures  deletes expired failed logins; every hour
///   account.check_blobs     compares references, blobs and usage; logs mismatches only; every day
std::span<const JobKind> Jobs();

}  // namespace syncline::account
