#pragma once
// COPY, MOVE and DELETE of whole trees. A file that comes to a name that had a file before goes on with its versions.
#include <cstdint>
#include <optional>
#include <string>

#include "handlers/base/context.h"
#include "handlers/vault/content/class_rules.h"
#include "handlers/vault/tree/lock_store.h"
#include "handlers/vault/tree/node_store.h"
#include "handlers/vault/tree/vault_store.h"
#include "handlers/vault/versions/event_store.h"
#include "handlers/vault/versions/version_store.h"
#include "handlers/vault/webdav/access_flow.h"
#include "handlers/vault/webdav/prop_store.h"

namespace syncline::vault {

struct Transfer {
  Target from{}, to{};
  bool is_move = false;
  bool overwrites = true;
  bool is_shallow = false;  ///< a collection without its members
};

/// Whether the destination is new. Throws Error
///   NotFound "no_such_file"; Conflict "no_parent"; Forbidden "same_place"; PreconditionFailed "destination_exists", and as
///   Headers::RequireHeld; Locked as Headers::RequireTokens; Unprocessable and StorageFull as SaveUpload
bool RunTransfer(Context& context, const Headers& headers, const Transfer& transfer);

/// Throws Error NotFound "no_such_file"; Forbidden "root"; and as Headers.
void RunDelete(Context& context, const Headers& headers, const Target& target);

}  // namespace syncline::vault
