#pragma once
// The versions of files as a read-only tree: .vault/versions/<path of the file>/<seq>.
#include <optional>
#include <vector>

#include "handlers/base/context.h"
#include "handlers/vault/tree/node_store.h"
#include "handlers/vault/tree/vault_store.h"

namespace syncline::vault {

/// What there is on a reserved path, and its members if it is a collection. None: nothing.
struct HistoryPlace {
  Node node{};
  std::vector<Node> members{};
};
std::optional<HistoryPlace> FindHistory(Context& context, VaultId vault, const Path& path);

}  // namespace syncline::vault
