#pragma once
// The contents that files have had, and which of them is the head that readers get. All changes are made under the vault's lock; the
// account's row in users comes after it.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/blobs.h"
#include "handlers/base/ids.h"
#include "handlers/vault/content/class_rules.h"
#include "handlers/vault/tree/node_store.h"
#include "handlers/vault/tree/vault_store.h"
#include "sql/tx.h"

namespace syncline::vault {

enum class Source { kWebdav, kSocketio, kTarget, kUi };
const char* NameOf(Source source);

/// kConflict waits for a person: it was replaced by a device that had not seen it, or came while the file was locked.
enum class VersionState { kOk, kSuspect, kPartial, kEmpty, kConflict };
const char* NameOf(VersionState state);
VersionState StateOf(std::string_view name);

struct Version {
  VersionId id{};
  NodeId node{};
  std::int64_t seq = 0;  ///< of the file, from 1
  BlobInfo blob{};
  ContentClass content_class = ContentClass::kOther;
  bool has_plaintext = false;
  VersionState state = VersionState::kOk;
  Source source = Source::kWebdav;
  DeviceId device{};
  std::optional<std::int64_t> base_version{}, origin_version{};
  std::optional<sql::Time> client_token_at{};
  std::optional<std::int64_t> change_counter{};
  std::optional<int> entries{};  ///< of a zip that was looked into
  sql::Time created_at{};
};

/// Of a statement with the columns of version_columns.part.
Version ReadVersion(const sql::Row& row);

class VersionStore {
 public:
  VersionStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  /// Gives it its id and seq, which are returned, and its blob a reference. Throws Error StorageFull "vault_full", and as BlobRefs::Add.
  Version Add(const Vault& vault, Version version);
  void SetState(VaultId vault, VersionId version, VersionState state);
  /// What readers get from now on.
  void SetHead(VaultId vault, NodeId node, VersionId version);
  std::optional<Version> Find(VaultId vault, VersionId version);
  /// The latest ones of a file, newest first: at most kMaxListed.
  std::vector<Version> OfNode(VaultId vault, NodeId node);
  static constexpr int kMaxListed = 1000;
  /// Of the whole vault before `before`, newest first. `plaintext_only`: those with plaintext of a database.
  std::vector<Version> Page(VaultId vault, VersionId before, bool plaintext_only, int limit);
  std::optional<Version> FindBySeq(VaultId vault, NodeId node, std::int64_t seq);
  /// The greatest change counter of a plain database that the device has sent.
  std::optional<std::int64_t> LastCounter(VaultId vault, NodeId node, DeviceId device);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::vault
