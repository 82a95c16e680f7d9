#pragma once
// The daily check: the counters match the rows, every usn is below the collection's, every changed row is
// listed, every base file has its blob and reference, every point of the history has the rows that a restore
// needs, and no rows of dropped points are left. Read-only. It reports and never repairs: a difference is a
// bug, and a silent repair would hide the bug and might destroy correct data.
#include <string>
#include <vector>

#include "handlers/base/context.h"
#include "handlers/base/job.h"

namespace syncline::anki {

/// The problems of the collection of the context's user, one sentence each; empty if there are none. Works in
/// short steps with pauses (UpkeepStep). Does not compare rows while a file is being imported, or if the
/// collection changes during each of three attempts; the next night's check covers it.
std::vector<std::string> CheckCollection(Context& context, JobControl& control);

}  // namespace syncline::anki
