#pragma once
// The past of cards and decks, and the way back.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::decks {

Response PostCardHistory(Request& request, Context& context);
Response PostRollbackCard(Request& request, Context& context);
Response PostRollbackDeck(Request& request, Context& context);
Response PostDeckAt(Request& request, Context& context);

}  // namespace syncline::decks
