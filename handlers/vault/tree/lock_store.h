#pragma once
// Write locks (RFC 4918, sections 6 and 7). A lock of infinite depth on a collection covers all that is below it. An expired lock is
// none. Changes are made under the vault's lock.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/ids.h"
#include "handlers/vault/tree/node_store.h"
#include "sql/tx.h"

namespace syncline::vault {

struct Lock {
  NodeId root{};        ///< what was locked
  std::string token{};  ///< "urn:uuid:..."
  bool is_exclusive = true, is_infinite = true;
  std::string owner_xml{};  ///< the element `owner`; empty: none was given
  int timeout_s = 0;
  sql::Time expires_at{};
};

class LockStore {
 public:
  LockStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  /// Those of these nodes themselves.
  std::vector<Lock> Of(VaultId vault, const std::vector<NodeId>& nodes);
  /// Those that cover the last of `nodes`, which are a path from the root: its own, and those of infinite depth above it.
  std::vector<Lock> Covering(VaultId vault, const std::vector<Node>& nodes);
  /// Those of the node and of all that is below it.
  std::vector<Lock> Below(VaultId vault, NodeId node);
  /// With a new token. Throws Error StorageFull "too_many_locks".
  Lock Add(VaultId vault, const Lock& lock);
  /// From now on for `timeout_s`. None: there is no such lock.
  std::optional<Lock> Refresh(VaultId vault, NodeId root, const std::string& token, int timeout_s);
  void Remove(VaultId vault, NodeId root, const std::string& token);
  /// What a name had ends with it.
  void RemoveBelow(VaultId vault, NodeId node);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::vault
