#pragma once
// Errors of WebDAV: a short text in ASCII, which the desktop shows raw; in XML where clients read a precondition (RFC 4918, section 16).
#include "handlers/base/errors.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::vault {

/// For Dialect::render_error.
Response RenderDavError(const Error& error, const Request& request);

/// What a refusal of a content means, as one sentence; empty: not one of those.
const char* RefusalText(std::string_view code);

}  // namespace syncline::vault
