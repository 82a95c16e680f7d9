#include "handlers/vault/versions/keeping_flow.h"

#include "handlers/base/errors.h"
#include "handlers/vault/versions/event_store.h"

namespace syncline::vault {
namespace {

constexpr int kAtOnce = 200;

void NotePurge(EventStore& events, const Context& context, VaultId vault, std::int64_t count, Source source) {
  if (count == 0) return;
  events.Add(vault, {.level = EventLevel::kWarning,
                     .kind = "purged",
                     .device = context.device(),
                     .source = source,
                     .path = "",
                     .message = "Versions were destroyed: " + std::to_string(count) + "."});
}

}  // namespace

std::int64_t RemoveOldVersions(Context& context, VaultId vault) {
  return context.Write<VaultStore, KeepingStore>([&](VaultStore& vaults, KeepingStore& keeping) {
    const auto old = keeping.Old(vaults.Lock(vault), kAtOnce);
    keeping.Remove(vault, old);
    return static_cast<std::int64_t>(old.size());
  });
}

std::int64_t RemoveRemains(Context& context, VaultId vault, int event_days) {
  return context.Write<VaultStore, KeepingStore>([&](VaultStore& vaults, KeepingStore& keeping) {
    return keeping.RemoveRemains(vaults.Lock(vault), event_days);
  });
}

std::int64_t PurgeVersions(Context& context, VaultId vault, const std::vector<VersionId>& versions,
                           Source source) {
  return context.Write<VaultStore, VersionStore, KeepingStore, EventStore>(
      [&](VaultStore& vaults, VersionStore& store, KeepingStore& keeping, EventStore& events) {
        vaults.Lock(vault);
        std::vector<Version> found;
        for (const VersionId id : versions) {
          if (const auto version = store.Find(vault, id)) found.push_back(*version);
        }
        keeping.Remove(vault, found);
        NotePurge(events, context, vault, std::ssize(found), source);
        return static_cast<std::int64_t>(found.size());
      });
}

std::int64_t PurgePlaintext(Context& context, VaultId vault, Source source) {
  return context.Write<VaultStore, KeepingStore, EventStore>(
      [&](VaultStore& vaults, KeepingStore& keeping, EventStore& events) {
        vaults.Lock(vault);
        std::int64_t count = 0;
        for (auto found = keeping.WithPlaintext(vault, kAtOnce); !found.empty();
             found = keeping.WithPlaintext(vault, kAtOnce)) {
          keeping.Remove(vault, found);
          count += std::ssize(found);
        }
        NotePurge(events, context, vault, count, source);
        return count;
      });
}

}  // namespace syncline::vault
