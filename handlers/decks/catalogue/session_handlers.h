#pragma once
// Logins, as the add-on knows them.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::decks {

Response PostLogin(Request& request, Context& context);
Response PostRefreshToken(Request& request, Context& context);
Response PostLogout(Request& request, Context& context);
Response PostMe(Request& request, Context& context);

}  // namespace syncline::decks
