#pragma once
// The desktops of a vault, for its owner.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::vault {

Response GetDevices(Request& request, Context& context);
Response PostDevice(Request& request, Context& context);
Response DeleteDevice(Request& request, Context& context);
Response PostDeviceRequest(Request& request, Context& context);

}  // namespace syncline::vault
