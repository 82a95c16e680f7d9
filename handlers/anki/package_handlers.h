#pragma once
// The API for packages: import and export.
#include <vector>

#include "handlers/base/context.h"
#include "handlers/base/errors.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"
#include "handlers/base/service.h"

namespace syncline::anki {

Response PostImport(Request& request, Context& context);
Response GetImport(Request& request, Context& context);
Response GetExport(Request& request, Context& context);

/// For Service::export_files: the collection with its media.
std::vector<ExportedFile> ExportFiles(Context& context);

/// For Dialect::render_error.
Response RenderPackageError(const Error& error, const Request& request);

}  // namespace syncline::anki
