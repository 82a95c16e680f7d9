#pragma once
// What readers of a deck fetch: the deck as a whole, and what has changed.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::decks {

Response PostDownload(Request& request, Context& context);
Response PostPull(Request& request, Context& context);

}  // namespace syncline::decks
