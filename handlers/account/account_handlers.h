#pragma once
// The owner's view of the account, over all services. Calls that cannot be undone require the password again.
#include <vector>

#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"
#include "handlers/base/service.h"

namespace syncline::account {

/// {"name", "password"}: tokens as of /auth/login, also for an account without an address. /auth/refresh renews them.
Response PostLoginByName(Request& request, Context& context);
/// Without a login: {"registration": "open" | "invitation" | "closed", "min_password_bytes",
/// "deletion_days"}, which a page needs before it can show its forms.
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
/// {"name", "password"}: an app password, shown once. It outlives the session, so the account's password is
/// required.
Response PostAppPassword(Request& request, Context& context);
/// Everything that the account holds in all services, as a zip.
Response GetExport(Request& request, Context& context);
/// {"password"}: the account is removed after account_deletion_days, unless its owner cancels that.
Response PostDeletion(Request& request, Context& context);
Response DeleteDeletion(Request& request, Context& context);

/// For Service::export_files.
std::vector<ExportedFile> ExportFiles(Context& context);

}  // namespace syncline::account
