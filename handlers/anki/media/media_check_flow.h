#pragma once
// The daily check of media: the head's counters match the rows, no usn is above the head's, every row has its blob and its
// reference, and no reference is left over. Read-only, as the check of collections.
#include <string>
#include <vector>

#include "handlers/base/context.h"
#include "handlers/base/job.h"

namespace syncline::anki {

/// The problems of the media of the context's user, one sentence each; empty if there are none. Works in short steps with
/// pauses (UpkeepStep). Says nothing if the media change during each of three attempts.
std::vector<std::string> CheckMedia(Context& context, JobControl& control);

}  // namespace syncline::anki
