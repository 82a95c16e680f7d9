#pragma once
// How a subscriber says that a deck comes into their collection, and sends edits back.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::decks {

Response PostDelivery(Request& request, Context& context);

}  // namespace syncline::decks
