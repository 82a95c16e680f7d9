#pragma once
// MKCOL, DELETE, COPY and MOVE (RFC 4918, 9.3, 9.6, 9.8, 9.9).
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::vault {

Response Mkcol(Request& request, Context& context);
Response DeleteFile(Request& request, Context& context);
Response CopyFile(Request& request, Context& context);
Response MoveFile(Request& request, Context& context);

}  // namespace syncline::vault
