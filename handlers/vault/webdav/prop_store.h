#pragma once
// Dead properties: what clients attach to names, kept as they sent it. Under the vault's lock.
#include <cstdint>
#include <map>
#include <vector>

#include "handlers/vault/tree/node_store.h"
#include "handlers/vault/webdav/body_wire.h"
#include "sql/tx.h"

namespace syncline::vault {

class PropStore {
 public:
  static constexpr std::int64_t kMaxProps = 200;

  PropStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  /// By name.
  std::map<NodeId, std::vector<Prop>> Of(VaultId vault, const std::vector<NodeId>& nodes);
  /// In this order. Throws Error StorageFull "too_many_properties", "over_quota".
  void Apply(VaultId vault, NodeId node, const std::vector<PropChange>& changes);
  /// Those of `from`, for a node that has none. Throws Error StorageFull "over_quota".
  void Copy(VaultId vault, NodeId from, NodeId to);

 private:
  void AddBytes(VaultId vault, std::int64_t bytes);

  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::vault
