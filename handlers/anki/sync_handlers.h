#pragma once
// The methods of a normal sync. Everything a client has sent is staged until Finish applies it in one
// transaction; any process serves any request.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::anki {

Response PostHostKey(Request& request, Context& context);
Response PostMeta(Request& request, Context& context);
Response PostStart(Request& request, Context& context);
Response PostApplyGraves(Request& request, Context& context);
Response PostApplyChanges(Request& request, Context& context);
Response PostChunk(Request& request, Context& context);
Response PostApplyChunk(Request& request, Context& context);
Response PostSanityCheck2(Request& request, Context& context);
Response PostFinish(Request& request, Context& context);
Response PostAbort(Request& request, Context& context);

}  // namespace syncline::anki
