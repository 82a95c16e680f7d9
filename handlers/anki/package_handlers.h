#pragma once
// The API for packages: import and export.
#include <string_view>

#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::anki {

Response PostImport(Request& request, Context& context);
Response GetImport(Request& request, Context& context);
Response GetExport(Request& request, Context& context);

/// One sentence for people, for the public code of an error of these calls.
std::string_view TextOf(std::string_view code);

}  // namespace syncline::anki
