#pragma once
// Tags and note types of a deck.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::decks {

Response PostTags(Request& request, Context& context);
Response PostNoteTypes(Request& request, Context& context);

}  // namespace syncline::decks
