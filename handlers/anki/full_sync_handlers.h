#pragma once
// Full syncs: each moves the whole collection in one request.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::anki {

Response PostUpload(Request& request, Context& context);
Response PostDownload(Request& request, Context& context);

}  // namespace syncline::anki
