#pragma once
// Media sync: files of a collection's media folder, by name. See README.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::anki {

Response PostMediaBegin(Request& request, Context& context);
Response GetMediaBegin(Request& request, Context& context);
Response PostMediaChanges(Request& request, Context& context);
Response PostUploadChanges(Request& request, Context& context);
Response PostDownloadFiles(Request& request, Context& context);
Response PostMediaSanity(Request& request, Context& context);

}  // namespace syncline::anki
