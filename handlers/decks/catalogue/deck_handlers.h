#pragma once
// Decks: made, changed, deleted, listed.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::decks {

Response PostCreateDeck(Request& request, Context& context);
Response PostUpdateDeck(Request& request, Context& context);
Response PostDeleteDeck(Request& request, Context& context);
Response PostMyDecks(Request& request, Context& context);
Response PostPurchases(Request& request, Context& context);
Response PostDeck(Request& request, Context& context);
Response PostBrowse(Request& request, Context& context);
Response PostMembers(Request& request, Context& context);
Response PostMyInvitations(Request& request, Context& context);

}  // namespace syncline::decks
