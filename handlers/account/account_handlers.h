#pragma once
// The account as its owner sees and changes it, over all services. What cannot be undone asks for the password once more.
#include <vector>

#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"
#include "handlers/base/service.h"

namespace syncline::account {

/// {"name", "password"}: tokens as of /auth/login, also for an account without an address. /auth/refresh renews them.
Response PostLoginByName(Request& request, Context& context);
/// For everybody: {"registration": "open" | "invitation" | "closed", "min_password_bytes", "deletion_days"}, what a page has to
/// know before it asks for anything.
Response GetRegistration(Request& request, Context& context);
Response GetAccount(Request& request, Context& context);
/// {"email", "password"}
Response PostEmail(Request& request, Context& context);
/// {"password", "new_password"}: all other devices have to log in again.
Response PostPassword(Request& request, Context& context);
Response GetDevices(Request& request, Context& context);
/// {"name"}
Response PatchDevice(Request& request, Context& context);
Response DeleteDevice(Request& request, Context& context);
/// {"name", "password"}: an app password, shown once. It outlives the session, so the password of the account is asked for.
Response PostAppPassword(Request& request, Context& context);
/// Everything that the account holds in all services, as a zip.
Response GetExport(Request& request, Context& context);
/// {"password"}: the account goes after the days of the setting account_deletion_days, unless it is kept.
Response PostDeletion(Request& request, Context& context);
Response DeleteDeletion(Request& request, Context& context);

/// For Service::export_files.
std::vector<ExportedFile> ExportFiles(Context& context);

}  // namespace syncline::account
