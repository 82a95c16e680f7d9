#include "handlers/vault/tree/node_store.h"

#include "handlers/base/blobs.h"
#include "handlers/base/errors.h"
#include "handlers/base/sha256.h"
#include "sql/queries/vault.h"

namespace syncline::vault {
namespace {

// About what a node takes with its index entries, besides its name.
constexpr std::int64_t kNodeBytes = 300;
constexpr std::size_t kHashInTag = 6;

Node ReadNode(const sql::Row& row) {
  Node node{.id = row["node_id"].As<NodeId>(),
            .parent = std::nullopt,
            .name = row["name"].As<std::string>(),
            .key = row["name_key"].As<std::string>(),
            .is_collection = row["is_collection"].As<bool>(),
            .head = std::nullopt,
            .last_seq = row["last_seq"].As<std::int64_t>(),
            .created_at = row["created_at"].As<sql::Time>(),
            .modified_at = row["modified_at"].As<sql::Time>()};
  if (const auto parent = row["parent_id"].As<std::optional<std::int64_t>>()) node.parent = NodeId{*parent};
  if (row["head_version"].IsNull()) return node;
  node.head = Head{.version = row["head_version"].As<VersionId>(),
                   .blob = row["blob_id"].As<BlobId>(),
                   .sha256 = row["sha256"].As<std::string>(),
                   .size_bytes = row["size_bytes"].As<std::int64_t>(),
                   .content_class = ClassOf(row["class"].As<std::string_view>()),
                   .state = row["state"].As<std::string>(),
                   .device = row["device_id"].As<DeviceId>(),
                   .change_counter = row["change_counter"].As<std::optional<std::int64_t>>(),
                   .created_at = row["version_at"].As<sql::Time>()};
  return node;
}

std::optional<Node> ReadNode(const std::optional<sql::Row>& row) {
  if (!row) return std::nullopt;
  return ReadNode(*row);
}

}  // namespace

ETag ETagOf(const Node& file) {
  if (file.head) {
    return ETag::Of("v" + std::to_string(static_cast<std::int64_t>(file.head->version)) + "-" +
                    HexText(std::string_view(file.head->sha256).substr(0, kHashInTag)));
  }
  const auto at = std::chrono::duration_cast<std::chrono::microseconds>(file.created_at.time_since_epoch());
  return ETag::Of("n" + std::to_string(static_cast<std::int64_t>(file.id)) + "-" +
                  std::to_string(at.count()));
}

Current CurrentOf(const std::optional<Node>& node) {
  if (!node) return {};
  if (node->is_collection) return {.exists = true, .etag = std::nullopt, .modified_at = node->modified_at};
  return {.exists = true, .etag = ETagOf(*node), .modified_at = node->modified_at};
}

const Node* Place::Parent() const {
  if (path.empty() || nodes.size() < path.size()) return nullptr;
  const Node& parent = nodes[path.size() - 1];
  return parent.is_collection ? &parent : nullptr;
}

Place NodeStore::Walk(VaultId vault, const Path& path) {
  Place place{.path = path, .nodes = {}};
  for (const sql::Row row : tx_.Query(sql::vault::walk_path, user_, vault, KeysOf(path)))
    place.nodes.push_back(ReadNode(row));
  return place;
}

std::vector<Node> NodeStore::Children(VaultId vault, NodeId collection) {
  std::vector<Node> nodes;
  for (const sql::Row row : tx_.Query(sql::vault::list_children, user_, vault, collection))
    nodes.push_back(ReadNode(row));
  return nodes;
}

std::optional<Node> NodeStore::FindAny(VaultId vault, NodeId parent, const PathName& name,
                                       bool is_collection) {
  return ReadNode(tx_.MaybeOne(sql::vault::find_any_node, user_, vault, parent, name.key, is_collection));
}

std::vector<Node> NodeStore::Ancestry(VaultId vault, NodeId node) {
  std::vector<Node> nodes;
  for (const sql::Row row : tx_.Query(sql::vault::ancestry, user_, vault, node))
    nodes.push_back(ReadNode(row));
  return nodes;
}

Node NodeStore::Add(VaultId vault, NodeId parent, const PathName& name, bool is_collection) {
  Node node{.parent = parent, .name = name.name, .key = name.key, .is_collection = is_collection};
  if (const auto old = FindAny(vault, parent, name, is_collection)) {
    node.id = old->id;
    node.last_seq = old->last_seq;
    tx_.Later(sql::vault::revive_node, user_, vault, node.id, name.name);
  } else {
    const std::int64_t bytes = kNodeBytes + static_cast<std::int64_t>(2 * name.name.size());
    RequireRoom(tx_, user_, bytes);
    node.id = tx_.One(sql::vault::take_node_id, user_, vault, bytes)["node_id"].As<NodeId>();
    tx_.Later(sql::vault::add_node, user_, vault, node.id, parent, name.name, name.key, is_collection);
  }
  tx_.Later(sql::vault::touch_node, user_, vault, parent);
  return node;
}

void NodeStore::AddRoot(VaultId vault) {
  tx_.Execute(sql::vault::add_node, user_, vault, kRoot, std::nullopt, "", "", true);
}

void NodeStore::Touch(VaultId vault, NodeId node) {
  tx_.Execute(sql::vault::touch_node, user_, vault, node);
}

void NodeStore::Delete(VaultId vault, NodeId node) {
  std::int64_t bytes = 0;
  for (const sql::Row row : tx_.Query(sql::vault::delete_props_below, user_, vault, node))
    bytes += row["bytes"].As<std::int64_t>();
  if (bytes > 0) tx_.Execute(sql::vault::add_row_bytes, user_, vault, -bytes);
  tx_.Execute(sql::vault::delete_locks_below, user_, vault, node);
  // Last: the others go by what is there.
  tx_.Execute(sql::vault::delete_nodes, user_, vault, node);
}

void NodeStore::Move(VaultId vault, NodeId node, NodeId parent, const PathName& name) {
  tx_.Execute(sql::vault::move_node, user_, vault, node, parent, name.name, name.key);
  Touch(vault, parent);
}

}  // namespace syncline::vault
