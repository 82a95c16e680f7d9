#pragma once
// What is one account's alone: protected fields, states of cards, progress.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::decks {

Response ProtectedFields(Request& request, Context& context);
Response PostSuspendState(Request& request, Context& context);
Response PostProgress(Request& request, Context& context);

}  // namespace syncline::decks
