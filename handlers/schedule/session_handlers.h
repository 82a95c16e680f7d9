#pragma once
// /api/auth/: the accounts of this server as the page and the scripts of the timetable know them.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::schedule {

Response PostLogin(Request& request, Context& context);
Response PostTokenRefresh(Request& request, Context& context);
Response GetProfile(Request& request, Context& context);
Response PatchProfile(Request& request, Context& context);

}  // namespace syncline::schedule
