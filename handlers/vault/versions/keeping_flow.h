#pragma once
// How versions end: by age, or because their owner destroys them.
#include <cstdint>
#include <vector>

#include "handlers/base/context.h"
#include "handlers/vault/versions/keeping_store.h"

namespace syncline::vault {

/// Removes some old versions of the vault of the context's account; how many.
std::int64_t RemoveOldVersions(Context& context, VaultId vault);
std::int64_t RemoveRemains(Context& context, VaultId vault, int event_days);

/// Destroys these versions, which need not exist any more, or all with plaintext. Returns how many.
std::int64_t PurgeVersions(Context& context, VaultId vault, const std::vector<VersionId>& versions,
                           Source source);
std::int64_t PurgePlaintext(Context& context, VaultId vault, Source source);

}  // namespace syncline::vault
