#pragma once
// Which versions a vault need not keep any longer, and their removal. Under the vault's lock.
#include <cstdint>
#include <optional>
#include <vector>

#include "handlers/base/ids.h"
#include "handlers/vault/tree/vault_store.h"
#include "handlers/vault/versions/version_store.h"
#include "sql/tx.h"

namespace syncline::vault {

struct VaultOwner {
  UserId user{};
  VaultId vault{};
};

class KeepingStore {
 public:
  KeepingStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  /// The next vault of all accounts; none: that was the last.
  std::optional<VaultOwner> After(const VaultOwner& last);
  /// Some of those that are beyond what the vault keeps (handlers/vault/README.md, "History").
  std::vector<Version> Old(const Vault& vault, int limit);
  /// Those with plaintext of a database, or that were not looked into.
  std::vector<Version> WithPlaintext(VaultId vault, int limit);
  /// Also a head, in whose place the newest good one comes.
  void Remove(VaultId vault, const std::vector<Version>& versions);
  /// Names without versions that were deleted long ago; expired locks; old events.
  std::int64_t RemoveRemains(const Vault& vault, int event_days);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::vault
