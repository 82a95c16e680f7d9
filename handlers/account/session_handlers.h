#pragma once
// Accounts and sessions in the dialect of the anime tracker's API: register, log in, refresh, log out, and who am I.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::account {

Response PostRegister(Request& request, Context& context);
Response PostLogin(Request& request, Context& context);
Response PostRefresh(Request& request, Context& context);
Response PostLogout(Request& request, Context& context);
Response PostLogoutAll(Request& request, Context& context);
Response GetSessions(Request& request, Context& context);
Response DeleteSession(Request& request, Context& context);
Response GetMe(Request& request, Context& context);

}  // namespace syncline::account
