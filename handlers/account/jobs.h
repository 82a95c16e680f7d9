#pragma once
// Background jobs of what all services share: accounts, and the bytes they hold.
#include <span>

#include "handlers/base/job.h"

namespace syncline::account {

///   account.sweep_failures  forgets failed logins that are too old to matter; every hour
///   account.check_blobs     compares references, blobs and usage; logs what does not fit and repairs
///   nothing; daily
std::span<const JobKind> Jobs();

}  // namespace syncline::account
