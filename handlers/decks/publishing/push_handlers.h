#pragma once
// What writers of a deck send.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::decks {

Response PostPushCards(Request& request, Context& context);
Response PostPushChanges(Request& request, Context& context);
Response PostAdminPush(Request& request, Context& context);
Response PostAdminImport(Request& request, Context& context);

}  // namespace syncline::decks
