#include "handlers/vault/versions/keeping_store.h"

#include "handlers/base/blobs.h"
#include "sql/queries/vault.h"

namespace syncline::vault {
namespace {

// Of a vault, from one day to the next: they do not count against a quota.
constexpr int kMaxEvents = 10'000;

std::vector<Version> ReadAll(const sql::Rows& rows) {
  std::vector<Version> versions;
  for (const sql::Row row : rows) versions.push_back(ReadVersion(row));
  return versions;
}

}  // namespace

std::optional<VaultOwner> KeepingStore::After(const VaultOwner& last) {
  const auto row = tx_.MaybeOne(sql::vault::next_vault, last.user, last.vault);
  if (!row) return std::nullopt;
  return VaultOwner{(*row)["user_id"].As<UserId>(), (*row)["vault_id"].As<VaultId>()};
}

std::vector<Version> KeepingStore::Old(const Vault& vault, int limit) {
  return ReadAll(
      tx_.Query(sql::vault::old_versions, user_, vault.id, vault.keep_versions, vault.keep_days, limit));
}

std::vector<Version> KeepingStore::WithPlaintext(VaultId vault, int limit) {
  return ReadAll(tx_.Query(sql::vault::plaintext_versions, user_, vault, limit));
}

void KeepingStore::Remove(VaultId vault, const std::vector<Version>& versions) {
  BlobRefs refs(tx_, user_);
  for (const Version& version : versions) {
    tx_.Execute(sql::vault::delete_version, user_, vault, version.id);
    tx_.Execute(sql::vault::replace_head, user_, vault, version.node, version.id);
    refs.Release(kBlobService, version.blob.id);
  }
}

std::int64_t KeepingStore::RemoveRemains(const Vault& vault, int event_days) {
  return tx_.Execute(sql::vault::delete_dead_nodes, user_, vault.id, vault.keep_days) +
         tx_.Execute(sql::vault::delete_expired_locks, user_, vault.id) +
         tx_.Execute(sql::vault::delete_old_events, user_, vault.id, event_days, kMaxEvents);
}

}  // namespace syncline::vault
