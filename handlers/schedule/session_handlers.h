#pragma once
// /api/auth/: logins and profiles in the form that the timetable's page and scripts expect.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::schedule {

Response PostLogin(Request& request, Context& context);
Response PostTokenRefresh(Request& request, Context& context);
Response GetProfile(Request& request, Context& context);
Response PatchProfile(Request& request, Context& context);

}  // namespace syncline::schedule
