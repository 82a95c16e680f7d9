#include "handlers/vault/tree/vault_store.h"

#include "handlers/base/errors.h"
#include "sql/queries/vault.h"

namespace syncline::vault {
namespace {

DocumentsPolicy PolicyOf(std::string_view name) {
  if (name == kPolicyNames[0]) return DocumentsPolicy::kAllow;
  return name == kPolicyNames[2] ? DocumentsPolicy::kReject : DocumentsPolicy::kWarn;
}

Vault ReadVault(const sql::Row& row) {
  return {.id = row["vault_id"].As<VaultId>(),
          .name = row["name"].As<std::string>(),
          .slug = row["slug"].As<std::string>(),
          .requires_encryption = row["encryption"].As<std::string_view>() == "required",
          .documents = PolicyOf(row["documents_policy"].As<std::string_view>()),
          .allows_archives = row["allows_archives"].As<bool>(),
          .max_bytes = row["max_bytes"].As<std::optional<std::int64_t>>(),
          .keep_versions = row["keep_versions"].As<int>(),
          .keep_days = row["keep_days"].As<int>(),
          .request_interval_s = row["request_interval_s"].As<int>(),
          .used_bytes = row["used_bytes"].As<std::int64_t>(),
          .created_at = row["created_at"].As<sql::Time>()};
}

std::optional<Vault> ReadVault(const std::optional<sql::Row>& row) {
  if (!row) return std::nullopt;
  return ReadVault(*row);
}

}  // namespace

const char* NameOf(DocumentsPolicy policy) {
  return kPolicyNames[static_cast<std::size_t>(policy)].data();
}

std::vector<Vault> VaultStore::List() {
  std::vector<Vault> vaults;
  for (const sql::Row row : tx_.Query(sql::vault::list_vaults, user_)) vaults.push_back(ReadVault(row));
  return vaults;
}

std::optional<Vault> VaultStore::Find(const std::string& slug) {
  return ReadVault(tx_.MaybeOne(sql::vault::find_vault, user_, slug));
}

std::optional<std::int64_t> VaultStore::FreeBytes() {
  return tx_.One(sql::vault::quota, user_)["free_bytes"].As<std::optional<std::int64_t>>();
}

Vault VaultStore::Add(const std::string& name, const std::string& slug) {
  if (tx_.One(sql::vault::count_vaults, user_)["vaults"].As<std::int64_t>() >= kMaxVaults)
    throw Conflict("too_many_vaults");
  const auto row = tx_.MaybeOne(sql::vault::add_vault, user_, name, slug);
  if (!row) throw Conflict("slug_taken");
  return Lock((*row)["vault_id"].As<VaultId>());
}

void VaultStore::Save(const Vault& vault) {
  tx_.Execute(sql::vault::save_vault, user_, vault.id, vault.name,
              vault.requires_encryption ? "required" : "off", NameOf(vault.documents), vault.allows_archives,
              vault.max_bytes, vault.keep_versions, vault.keep_days, vault.request_interval_s);
}

Vault VaultStore::Lock(VaultId vault) {
  const auto found = ReadVault(tx_.MaybeOne(sql::vault::lock_vault, user_, vault));
  if (!found) throw NotFound("no_such_vault");
  return *found;
}

}  // namespace syncline::vault
