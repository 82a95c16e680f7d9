#pragma once
// LOCK and UNLOCK (RFC 4918, 9.10 and 9.11).
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::vault {

Response LockFile(Request& request, Context& context);
Response UnlockFile(Request& request, Context& context);

}  // namespace syncline::vault
