#include "handlers/vault/webdav/prop_store.h"

#include "handlers/base/blobs.h"
#include "handlers/base/errors.h"
#include "sql/queries/vault.h"

namespace syncline::vault {
namespace {

// About what a property takes besides its text; statements that delete and copy say the same.
constexpr std::int64_t kPropBytes = 150;

}  // namespace

std::map<NodeId, std::vector<Prop>> PropStore::Of(VaultId vault, const std::vector<NodeId>& nodes) {
  std::vector<std::int64_t> ids;
  for (const NodeId node : nodes) ids.push_back(static_cast<std::int64_t>(node));
  std::map<NodeId, std::vector<Prop>> props;
  for (const sql::Row row : tx_.Query(sql::vault::props_of_nodes, user_, vault, ids)) {
    props[row["node_id"].As<NodeId>()].push_back(
        {{row["namespace"].As<std::string>(), row["name"].As<std::string>()}, row["xml"].As<std::string>()});
  }
  return props;
}

void PropStore::AddBytes(VaultId vault, std::int64_t bytes) {
  if (bytes > 0) RequireRoom(tx_, user_, bytes);
  tx_.Execute(sql::vault::add_row_bytes, user_, vault, bytes);
}

void PropStore::Apply(VaultId vault, NodeId node, const std::vector<PropChange>& changes) {
  std::int64_t bytes = 0;
  for (const PropChange& change : changes) {
    const auto old =
        tx_.MaybeOne(sql::vault::delete_prop, user_, vault, node, change.prop.name.ns, change.prop.name.name);
    if (old) bytes -= (*old)["bytes"].As<std::int64_t>();
    if (!change.is_set) continue;
    tx_.Execute(sql::vault::add_prop, user_, vault, node, change.prop.name.ns, change.prop.name.name,
                change.prop.xml);
    bytes += kPropBytes + static_cast<std::int64_t>(change.prop.xml.size());
  }
  if (tx_.One(sql::vault::count_props, user_, vault, node)["props"].As<std::int64_t>() > kMaxProps)
    throw StorageFull("too_many_properties");
  AddBytes(vault, bytes);
}

void PropStore::Copy(VaultId vault, NodeId from, NodeId to) {
  const auto copied = tx_.Query(sql::vault::copy_props, user_, vault, from, to);
  std::int64_t bytes = 0;
  for (const sql::Row row : copied) bytes += row["bytes"].As<std::int64_t>();
  if (bytes > 0) AddBytes(vault, bytes);
}

}  // namespace syncline::vault
