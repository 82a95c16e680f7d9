#pragma once
// Suggestions: made, listed, decided, withdrawn.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::decks {

Response PostSubmitSuggestion(Request& request, Context& context);
Response PostListSuggestions(Request& request, Context& context);
Response PostReviewSuggestion(Request& request, Context& context);
Response PostMySuggestions(Request& request, Context& context);
Response PostWithdrawSuggestion(Request& request, Context& context);
Response PostRequestRemoval(Request& request, Context& context);

}  // namespace syncline::decks
