#pragma once
// Files of decks.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::decks {

Response PostMedia(Request& request, Context& context);
Response GetMediaFile(Request& request, Context& context);
std::optional<Identity> AuthenticateUpload(Request& request, Context& context);
Response PutUpload(Request& request, Context& context);

}  // namespace syncline::decks
