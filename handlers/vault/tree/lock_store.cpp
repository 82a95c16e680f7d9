#include "handlers/vault/tree/lock_store.h"

#include <algorithm>

#include "handlers/base/errors.h"
#include "sql/queries/vault.h"

namespace syncline::vault {
namespace {

// Live ones of a vault: each is looked at by those who write near it.
constexpr std::int64_t kMaxLocks = 5000;

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

std::vector<Lock> LockStore::Below(VaultId vault, NodeId node) {
  std::vector<Lock> locks;
  for (const sql::Row row : tx_.Query(sql::vault::locks_below, user_, vault, node))
    locks.push_back(ReadLock(row));
  return locks;
}

Lock LockStore::Add(VaultId vault, const Lock& lock) {
  if (tx_.One(sql::vault::count_locks, user_, vault)["locks"].As<std::int64_t>() >= kMaxLocks)
    throw StorageFull("too_many_locks");
  return ReadLock(tx_.One(sql::vault::add_lock, user_, vault, lock.root, lock.is_exclusive, lock.is_infinite,
                          lock.owner_xml, lock.timeout_s));
}

std::optional<Lock> LockStore::Refresh(VaultId vault, NodeId root, const std::string& token, int timeout_s) {
  const auto row = tx_.MaybeOne(sql::vault::refresh_lock, user_, vault, root, token, timeout_s);
  if (!row) return std::nullopt;
  return ReadLock(*row);
}

void LockStore::Remove(VaultId vault, NodeId root, const std::string& token) {
  tx_.Execute(sql::vault::delete_lock, user_, vault, root, token);
}

void LockStore::RemoveBelow(VaultId vault, NodeId node) {
  tx_.Execute(sql::vault::delete_locks_below, user_, vault, node);
}

}  // namespace syncline::vault
