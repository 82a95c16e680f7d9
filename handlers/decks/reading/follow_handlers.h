#pragma once
// Following decks: subscriptions, updates, releases, notices.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::decks {

Response PostSubscription(Request& request, Context& context);
Response PostCheckUpdates(Request& request, Context& context);
Response PostChangelog(Request& request, Context& context);
Response PostNotifications(Request& request, Context& context);

}  // namespace syncline::decks
