#pragma once
// PROPFIND and PROPPATCH (RFC 4918, 9.1 and 9.2).
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::vault {

Response PropfindVaults(Request& request, Context& context);
Response PropfindFile(Request& request, Context& context);
Response ProppatchFile(Request& request, Context& context);

}  // namespace syncline::vault
