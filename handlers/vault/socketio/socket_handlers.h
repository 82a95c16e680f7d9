#pragma once
// The address of Socket.IO, /socket.io/: the desktop's layer over long polling.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::vault {

Response GetSocket(Request& request, Context& context);
Response PostSocket(Request& request, Context& context);
/// Refuses in the words of Engine.IO.
Response PutSocket(Request& request, Context& context);

}  // namespace syncline::vault
