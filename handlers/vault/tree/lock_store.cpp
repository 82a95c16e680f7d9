#include "handlers/vault/tree/lock_store.h"

#include <algorithm>

#include "sql/queries/vault.h"

namespace syncline::vault {
namespace {

Lock ReadLock(const sql::Row& row) {
  return {.root = row["node_id"].As<NodeId>(),
          .token = row["token"].As<std::string>(),
          .is_exclusive = row["is_exclusive"].As<bool>(),
          .is_infinite = row["is_infinite"].As<bool>(),
          .owner_xml = row["owner_xml"].As<std::string>(),
          .timeout_s = row["timeout_s"].As<int>(),
          .expires_at = row["expires_at"].As<sql::Time>()};
}

}  // namespace

std::vector<Lock> LockStore::Of(VaultId vault, const std::vector<NodeId>& nodes) {
  std::vector<std::int64_t> ids;
  for (const NodeId node : nodes) ids.push_back(static_cast<std::int64_t>(node));
  std::vector<Lock> locks;
  for (const sql::Row row : tx_.Query(sql::vault::locks_of_nodes, user_, vault, ids))
    locks.push_back(ReadLock(row));
  return locks;
}

std::vector<Lock> LockStore::Covering(VaultId vault, const std::vector<Node>& nodes) {
  std::vector<NodeId> ids;
  for (const Node& node : nodes) ids.push_back(node.id);
  std::vector<Lock> locks = Of(vault, ids);
  std::erase_if(locks, [&](const Lock& lock) { return lock.root != ids.back() && !lock.is_infinite; });
  return locks;
}

}  // namespace syncline::vault
