#pragma once
// OPTIONS, GET, HEAD and PUT (RFC 4918, RFC 9110).
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::vault {

Response Options(Request& request, Context& context);
Response GetFile(Request& request, Context& context);
Response PutFile(Request& request, Context& context);

}  // namespace syncline::vault
