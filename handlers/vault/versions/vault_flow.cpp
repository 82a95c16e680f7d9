#include "handlers/vault/versions/vault_flow.h"

#include <algorithm>
#include <utility>

#include "handlers/base/errors.h"
#include "handlers/vault/tree/lock_store.h"
#include "handlers/vault/tree/node_store.h"
#include "handlers/vault/versions/event_store.h"
#include "handlers/vault/versions/keeping_store.h"

namespace syncline::vault {
namespace {

constexpr const char* kDesktopFolder = "cordiax_sync";
constexpr std::size_t kMaxSlug = 64;

bool IsSlug(std::string_view slug) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (slug.empty() || slug.size() > kMaxSlug || !is_letter(slug.front()) || !is_letter(slug.back()))
    return false;
  return std::all_of(slug.begin(), slug.end(), [&](char c) { return is_letter(c) || c == '-'; });
}

// Where a node is, or was.
Place WalkTo(VaultId vault, const std::vector<Node>& nodes, NodeStore& store) {
  Path path;
  for (const Node& node : nodes) path.push_back({node.name, node.key});
  return store.Walk(vault, path);
}

}  // namespace

Vault CreateVault(Context& context, const std::string& name, const std::string& slug) {
  if (!IsSlug(slug)) throw BadInput("bad_slug");
  return context.Write<VaultStore, NodeStore>([&](VaultStore& vaults, NodeStore& nodes) {
    const Vault vault = vaults.Add(name, slug);
    nodes.AddRoot(vault.id);
    nodes.Add(vault.id, kRoot, {kDesktopFolder, kDesktopFolder}, /*is_collection=*/true);
    return vault;
  });
}

Vault ChangeVault(Context& context, VaultId vault, const VaultChange& change) {
  return context.Write<VaultStore>([&](VaultStore& vaults) {
    Vault changed = vaults.Lock(vault);
    changed.name = change.name.value_or(changed.name);
    changed.documents = change.documents.value_or(changed.documents);
    changed.allows_archives = change.allows_archives.value_or(changed.allows_archives);
    if (change.max_bytes) changed.max_bytes = *change.max_bytes == 0 ? std::nullopt : change.max_bytes;
    changed.keep_versions = change.keep_versions.value_or(changed.keep_versions);
    changed.keep_days = change.keep_days.value_or(changed.keep_days);
    changed.request_interval_s = change.request_interval_s.value_or(changed.request_interval_s);
    vaults.Save(changed);
    return changed;
  });
}

Vault SwitchEncryption(Context& context, VaultId vault, bool is_required, Source source) {
  return context.Write<VaultStore, KeepingStore, EventStore>(
      [&](VaultStore& vaults, KeepingStore& keeping, EventStore& events) {
        Vault changed = vaults.Lock(vault);
        if (changed.requires_encryption == is_required) return changed;
        if (is_required && !keeping.WithPlaintext(vault, 1).empty()) throw Conflict("plaintext_versions");
        changed.requires_encryption = is_required;
        vaults.Save(changed);
        events.Add(vault, {.level = is_required ? EventLevel::kInfo : EventLevel::kAlarm,
                           .kind = is_required ? "encryption_on" : "encryption_off",
                           .device = context.device(),
                           .source = source,
                           .path = "",
                           .message = ""});
        return changed;
      });
}

Version RestoreVersion(Context& context, VaultId vault, VersionId version, Source source) {
  return context.Write<VaultStore, NodeStore, LockStore, VersionStore, EventStore>(
      [&](VaultStore& vaults, NodeStore& nodes, LockStore& locks, VersionStore& versions,
          EventStore& events) {
        const Vault found = vaults.Lock(vault);
        const auto old = versions.Find(vault, version);
        if (!old) throw NotFound("no_such_version");
        const std::vector<Node> names = nodes.Ancestry(vault, old->node);
        const Place place = WalkTo(vault, names, nodes);
        if (!locks.Covering(vault, place.nodes).empty()) throw Error(ErrorKind::kLocked, "file_locked");
        NodeId at = kRoot;
        for (std::size_t i = 0; i < names.size(); ++i) {
          const bool is_there = i + 1 < place.nodes.size();
          if (is_there && place.nodes[i + 1].id != names[i].id) throw Conflict("name_taken");
          at = is_there ? names[i].id
                        : nodes.Add(vault, at, {names[i].name, names[i].key}, names[i].is_collection).id;
        }
        Version restored = *old;
        restored.state = VersionState::kOk;
        restored.source = source;
        restored.device = context.device();
        restored.base_version.reset();
        restored.origin_version = static_cast<std::int64_t>(version);
        restored = versions.Add(found, restored);
        versions.SetHead(vault, at, restored.id);
        events.Add(vault, {.level = EventLevel::kInfo,
                           .kind = "restored",
                           .device = context.device(),
                           .source = source,
                           .path = TextOf(place.path),
                           .message = "",
                           .version = restored.id});
        return restored;
      });
}

void ResolveConflict(Context& context, VaultId vault, VersionId version) {
  context.Write<VaultStore, VersionStore>([&](VaultStore& vaults, VersionStore& versions) {
    vaults.Lock(vault);
    const auto found = versions.Find(vault, version);
    if (!found) throw NotFound("no_such_version");
    if (found->state == VersionState::kConflict) versions.SetState(vault, version, VersionState::kOk);
  });
}

}  // namespace syncline::vault
