#pragma once
// Basic logins of WebDAV clients: some send names and passwords in ISO-8859-1, and Windows sends HOST\user.
#include <optional>

#include "handlers/base/context.h"
#include "handlers/base/request.h"

namespace syncline::vault {

/// For Dialect::authenticate: Basic with an app password or the account's password. Throws as account::AuthenticateBasic.
std::optional<Identity> AuthenticateDav(Request& request, Context& context);

}  // namespace syncline::vault
