#pragma once
// The API of vaults for their owner: /vault/vaults.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::vault {

Response GetVaults(Request& request, Context& context);
Response PostVault(Request& request, Context& context);
Response GetVault(Request& request, Context& context);
Response PatchVault(Request& request, Context& context);
Response PutEncryption(Request& request, Context& context);

}  // namespace syncline::vault
