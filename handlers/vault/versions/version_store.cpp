#include "handlers/vault/versions/version_store.h"

#include <algorithm>
#include <array>

#include "handlers/base/errors.h"
#include "sql/queries/vault.h"

namespace syncline::vault {
namespace {

constexpr std::array<const char*, 4> kSources = {"webdav", "socketio", "target", "ui"};
constexpr std::array<const char*, 5> kStates = {"ok", "suspect", "partial", "empty", "conflict"};
// About what a version takes with its index entries.
constexpr std::int64_t kVersionBytes = 350;

template <typename Enum, std::size_t kCount>
Enum Named(const std::array<const char*, kCount>& names, std::string_view name) {
  return static_cast<Enum>(std::find(names.begin(), names.end(), name) - names.begin());
}

std::optional<Version> MaybeVersion(const std::optional<sql::Row>& row) {
  if (!row) return std::nullopt;
  return ReadVersion(*row);
}

}  // namespace

Version ReadVersion(const sql::Row& row) {
  return {.id = row["version_id"].As<VersionId>(),
          .node = row["node_id"].As<NodeId>(),
          .seq = row["seq"].As<std::int64_t>(),
          .blob = {row["blob_id"].As<BlobId>(), row["sha256"].As<std::string>(),
                   row["size_bytes"].As<std::int64_t>()},
          .content_class = ClassOf(row["class"].As<std::string_view>()),
          .has_plaintext = row["has_plaintext"].As<bool>(),
          .state = StateOf(row["state"].As<std::string_view>()),
          .source = Named<Source>(kSources, row["source"].As<std::string_view>()),
          .device = row["device_id"].As<DeviceId>(),
          .base_version = row["base_version"].As<std::optional<std::int64_t>>(),
          .origin_version = row["origin_version"].As<std::optional<std::int64_t>>(),
          .client_token_at = row["client_token_at"].As<std::optional<sql::Time>>(),
          .change_counter = row["change_counter"].As<std::optional<std::int64_t>>(),
          .entries = row["entries"].As<std::optional<int>>(),
          .created_at = row["created_at"].As<sql::Time>()};
}

const char* NameOf(Source source) {
  return kSources[static_cast<std::size_t>(source)];
}
const char* NameOf(VersionState state) {
  return kStates[static_cast<std::size_t>(state)];
}
VersionState StateOf(std::string_view name) {
  return Named<VersionState>(kStates, name);
}

Version VersionStore::Add(const Vault& vault, Version version) {
  if (vault.max_bytes && vault.used_bytes + version.blob.size_bytes > *vault.max_bytes)
    throw StorageFull("vault_full");
  RequireRoom(tx_, user_, kVersionBytes);
  BlobRefs(tx_, user_).Add(kBlobService, version.blob);
  version.id = tx_.One(sql::vault::take_version_id, user_, vault.id, kVersionBytes,
                       version.blob.size_bytes)["version_id"]
                   .As<VersionId>();
  version.seq = tx_.One(sql::vault::take_seq, user_, vault.id, version.node)["last_seq"].As<std::int64_t>();
  tx_.Execute(sql::vault::add_version, user_, vault.id, version.id, version.node, version.seq,
              version.blob.id, sql::AsBytes(version.blob.sha256), version.blob.size_bytes,
              NameOf(version.content_class), version.has_plaintext, NameOf(version.state),
              NameOf(version.source), version.device, version.base_version, version.origin_version,
              version.client_token_at, version.change_counter, version.entries);
  return version;
}

void VersionStore::SetState(VaultId vault, VersionId version, VersionState state) {
  tx_.Execute(sql::vault::set_version_state, user_, vault, version, NameOf(state));
}

void VersionStore::SetHead(VaultId vault, NodeId node, VersionId version) {
  tx_.Execute(sql::vault::set_head, user_, vault, node, version);
}

std::optional<Version> VersionStore::Find(VaultId vault, VersionId version) {
  return MaybeVersion(tx_.MaybeOne(sql::vault::find_version, user_, vault, version));
}

std::vector<Version> VersionStore::OfNode(VaultId vault, NodeId node) {
  std::vector<Version> versions;
  for (const sql::Row row : tx_.Query(sql::vault::versions_of_node, user_, vault, node, kMaxListed))
    versions.push_back(ReadVersion(row));
  return versions;
}

std::vector<Version> VersionStore::Page(VaultId vault, VersionId before, bool plaintext_only, int limit) {
  std::vector<Version> versions;
  for (const sql::Row row : tx_.Query(sql::vault::page_versions, user_, vault, before, plaintext_only, limit))
    versions.push_back(ReadVersion(row));
  return versions;
}

std::optional<Version> VersionStore::FindBySeq(VaultId vault, NodeId node, std::int64_t seq) {
  return MaybeVersion(tx_.MaybeOne(sql::vault::find_version_by_seq, user_, vault, node, seq));
}

std::optional<std::int64_t> VersionStore::LastCounter(VaultId vault, NodeId node, DeviceId device) {
  return tx_.One(sql::vault::last_counter, user_, vault, node, device)["counter"]
      .As<std::optional<std::int64_t>>();
}

}  // namespace syncline::vault
