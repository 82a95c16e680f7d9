#pragma once
// The nightly check of blobs, references and usage of all accounts, in short steps with pauses.
#include <string>
#include <vector>

#include "handlers/base/context.h"
#include "handlers/base/job.h"

namespace syncline::account {

/// One sentence per mismatch. Each step reads one snapshot. Concurrent writes cause no false reports: a
/// reference and its bytes change in one transaction, and a blob is complete before it is referenced.
std::vector<std::string> CheckBlobs(Context& context, JobControl& control);

}  // namespace syncline::account
