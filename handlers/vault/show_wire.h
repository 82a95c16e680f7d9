#pragma once
// JSON of the API.
#include "handlers/base/context.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"
#include "handlers/vault/tree/vault_store.h"
#include "handlers/vault/versions/event_store.h"
#include "handlers/vault/versions/version_store.h"

namespace syncline::vault {

/// That of the path. Throws Error NotFound "no_such_vault".
Vault VaultOf(const Request& request, Context& context);

void ShowVault(JsonWriter& json, const Vault& vault);
Response ShowVault(int status, const Vault& vault);
void ShowVersion(JsonWriter& json, const Version& version);
void ShowEvent(JsonWriter& json, const PastEvent& event);

}  // namespace syncline::vault
