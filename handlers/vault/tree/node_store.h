#pragma once
// The tree of a vault: collections and files, by their names. A name that was deleted stays, without being seen, and so do its
// versions; whoever uses the name again goes on with them. All changes are made under the vault's lock (VaultStore::Lock).
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "handlers/base/conditional.h"
#include "handlers/base/ids.h"
#include "handlers/vault/content/class_rules.h"
#include "handlers/vault/tree/path_rules.h"
#include "handlers/vault/tree/vault_store.h"
#include "sql/tx.h"

namespace syncline::vault {

inline constexpr NodeId kRoot{0};

/// What readers of a file get.
struct Head {
  VersionId version{};
  BlobId blob{};
  std::string sha256{};  ///< 32 bytes
  std::int64_t size_bytes = 0;
  ContentClass content_class = ContentClass::kOther;
  std::string state{};
  DeviceId device{};
  std::optional<std::int64_t> change_counter{};
  sql::Time created_at{};
};

struct Node {
  NodeId id{};
  std::optional<NodeId> parent{};  ///< none: the root
  std::string name{}, key{};
  bool is_collection = false;
  std::optional<Head> head{};  ///< none: a collection, or an empty file
  std::int64_t last_seq = 0;   ///< of its versions
  sql::Time created_at{}, modified_at{};

  std::int64_t size_bytes() const { return head ? head->size_bytes : 0; }
};

/// Of a file: strong, another one for every content.
ETag ETagOf(const Node& file);
/// For conditions: what there is, if anything.
Current CurrentOf(const std::optional<Node>& node);

/// What there is on a path.
struct Place {
  Path path{};
  std::vector<Node> nodes{};  ///< the root first, as far as the path goes; none only if the vault is gone

  bool Exists() const { return nodes.size() == path.size() + 1; }
  /// None: nothing of that name.
  std::optional<Node> Found() const { return Exists() ? std::optional(nodes.back()) : std::nullopt; }
  /// The collection that has the last name of the path, or may get it. None: there is no such collection.
  const Node* Parent() const;
};

class NodeStore {
 public:
  NodeStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  Place Walk(VaultId vault, const Path& path);
  /// By name.
  std::vector<Node> Children(VaultId vault, NodeId collection);
  /// Also a deleted one.
  std::optional<Node> FindAny(VaultId vault, NodeId parent, const PathName& name, bool is_collection);
  /// The node and what it is in, deleted or not, from below the root down.
  std::vector<Node> Ancestry(VaultId vault, NodeId node);
  /// A file or a collection without members; the one that had the name before, if there was one. The result has no times. Throws
  /// Error StorageFull "over_quota".
  Node Add(VaultId vault, NodeId parent, const PathName& name, bool is_collection);
  /// For the root of a new vault.
  void AddRoot(VaultId vault);
  void Touch(VaultId vault, NodeId node);
  /// With all that is below it, and with properties and locks, which end with the name. Versions stay.
  void Delete(VaultId vault, NodeId node);
  /// With all that is below it, to a name that no node of its kind ever had.
  void Move(VaultId vault, NodeId node, NodeId parent, const PathName& name);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::vault
