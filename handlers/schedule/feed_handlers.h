#pragma once
// Calendars: management of their URLs for the owner, and the files for anyone who has a URL.
#include <vector>

#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"
#include "handlers/base/service.h"

namespace syncline::schedule {

Response GetFeeds(Request& request, Context& context);
Response PostFeed(Request& request, Context& context);
Response PatchFeed(Request& request, Context& context);
Response DeleteFeed(Request& request, Context& context);
Response GetFeedFile(Request& request, Context& context);

/// For Service::export_files: the profile and the feeds, without their URLs.
std::vector<ExportedFile> ExportFiles(Context& context);

}  // namespace syncline::schedule
