#pragma once
// A whole list as a file: in and out. The handlers are described in the .cpp.
#include <vector>

#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"
#include "handlers/base/service.h"

namespace syncline::anime {

Response PostListImport(Request& request, Context& context);
Response GetListImport(Request& request, Context& context);
Response GetListExport(Request& request, Context& context);

/// For Service::export_files: the list in both formats.
std::vector<ExportedFile> ExportFiles(Context& context);

}  // namespace syncline::anime
