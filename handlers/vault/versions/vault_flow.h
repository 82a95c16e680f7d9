#pragma once
// Vaults as a whole: making one, its settings, the switch of encryption; and bringing a version back.
#include <cstdint>
#include <optional>
#include <string>

#include "handlers/base/context.h"
#include "handlers/vault/tree/vault_store.h"
#include "handlers/vault/versions/version_store.h"

namespace syncline::vault {

/// With the folder that the desktop needs, which it never makes itself. Throws Error Conflict "slug_taken", "too_many_vaults";
/// BadInput "bad_slug".
Vault CreateVault(Context& context, const std::string& name, const std::string& slug);

/// None: stays as it is.
struct VaultChange {
  std::optional<std::string> name{};
  std::optional<DocumentsPolicy> documents{};
  std::optional<bool> allows_archives{};
  std::optional<std::int64_t> max_bytes{};  ///< 0: no limit of its own
  std::optional<int> keep_versions{}, keep_days{}, request_interval_s{};
};
Vault ChangeVault(Context& context, VaultId vault, const VaultChange& change);

/// Throws Error Conflict "plaintext_versions" if it is switched on while there are some: they have to be destroyed first.
Vault SwitchEncryption(Context& context, VaultId vault, bool is_required, Source source);

/// Makes the content of a version what readers get, as a new version; a deleted file comes back, with its collections. Throws Error
/// NotFound "no_such_version"; Conflict "name_taken"; Locked "file_locked"; StorageFull as VersionStore::Add.
Version RestoreVersion(Context& context, VaultId vault, VersionId version, Source source);

/// A person has looked at a conflict copy: it is kept like any other version from now on. Throws Error NotFound "no_such_version".
void ResolveConflict(Context& context, VaultId vault, VersionId version);

}  // namespace syncline::vault
