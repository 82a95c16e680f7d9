#pragma once
// Imports from client scripts that read the site themselves.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::schedule {

/// Bytes of the body. A group of a real term has some 100 KB.
inline constexpr std::size_t kMaxImport = 2560 << 10;

Response PostImportGroup(Request& request, Context& context);

}  // namespace syncline::schedule
