#include "handlers/vault/webdav/prop_handlers.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "handlers/base/errors.h"
#include "handlers/vault/tree/lock_store.h"
#include "handlers/vault/webdav/access_flow.h"
#include "handlers/vault/webdav/body_wire.h"
#include "handlers/vault/webdav/history_flow.h"
#include "handlers/vault/webdav/href_rules.h"
#include "handlers/vault/webdav/multistatus_wire.h"
#include "handlers/vault/webdav/prop_store.h"

namespace syncline::vault {
namespace {

constexpr const char* kXmlType = "application/xml; charset=\"utf-8\"";

// In pieces: a collection may have many members.
Response Multistatus(std::vector<Resource> resources, Propfind asked) {
  const auto kept =
      std::make_shared<std::pair<std::vector<Resource>, Propfind>>(std::move(resources), std::move(asked));
  const auto write = [kept](BodySink& sink) {
    sink.Write(kMultistatusBegin);
    for (const Resource& resource : kept->first) sink.Write(PropfindResponse(resource, kept->second));
    sink.Write(kMultistatusEnd);
  };
  return Response{207, {}, BodyStream(write), std::nullopt}.With("Content-Type", kXmlType);
}

bool Asks(const Propfind& asked, std::string_view name) {
  return std::any_of(asked.names.begin(), asked.names.end(),
                     [&](const PropName& one) { return one.ns == kDav && one.name == name; });
}

bool AsksForQuota(const Propfind& asked) {
  return Asks(asked, "quota-available-bytes") || Asks(asked, "quota-used-bytes");
}

Depth MemberDepth(const Request& request, bool is_collection) {
  const Depth depth = DepthOf(request, Depth::kInfinity);
  // Some clients ask a plain file without saying how deep.
  if (!is_collection) return Depth::kZero;
  if (depth == Depth::kInfinity) throw Forbidden("propfind_finite_depth");
  return depth;
}

Response ShowHistory(const Request& request, Context& context, const Target& target, Propfind asked) {
  const auto place = FindHistory(context, target.vault.id, target.path);
  if (!place) throw NotFound("no_such_file");
  const Depth depth = MemberDepth(request, place->node.is_collection);
  const std::string href = OwnHref(request, place->node.is_collection);
  std::vector<Resource> resources{{.href = href, .node = place->node}};
  if (depth == Depth::kOne) {
    for (const Node& member : place->members)
      resources.push_back({.href = MemberHref(href, member), .node = member});
  }
  return Multistatus(std::move(resources), std::move(asked));
}

struct Quota {
  std::int64_t used = 0, free = 0;
};

Quota QuotaOf(const Vault& vault, VaultStore& vaults) {
  // Without any limit: what programs show as "a lot".
  constexpr std::int64_t kPlenty = std::int64_t{1} << 40;
  std::int64_t free = vaults.FreeBytes().value_or(kPlenty);
  if (vault.max_bytes) free = std::min(free, *vault.max_bytes - vault.used_bytes);
  return {vault.used_bytes, std::max<std::int64_t>(free, 0)};
}

// The nodes on the path and, if they are asked for, the members of the last one.
struct Family {
  Place place{};
  std::vector<Node> members{};
};

std::vector<Resource> Describe(const Request& request, const Target& target, const Family& family,
                               const Propfind& asked, PropStore& props, LockStore& locks) {
  const Node& self = family.place.nodes.back();
  const std::string href = OwnHref(request, self.is_collection);
  std::vector<Resource> resources{{.href = href, .node = self}};
  for (const Node& member : family.members)
    resources.push_back({.href = MemberHref(href, member), .node = member});
  std::vector<NodeId> ids;
  for (const Resource& resource : resources) ids.push_back(resource.node.id);
  const bool wants_locks = asked.kind == Propfind::Kind::kAll || Asks(asked, "lockdiscovery");
  std::vector<ShownLock> inherited, own;
  if (wants_locks) {
    for (const Lock& lock : locks.Covering(target.vault.id, family.place.nodes)) {
      ShownLock shown{lock, HrefOf(request, family.place, lock.root)};
      if (lock.is_infinite) inherited.push_back(shown);
      resources.front().locks.push_back(std::move(shown));
    }
    std::vector<NodeId> members(ids.begin() + 1, ids.end());
    for (const Lock& lock : locks.Of(target.vault.id, members)) own.push_back({lock, ""});
  }
  auto dead = props.Of(target.vault.id, ids);
  for (std::size_t i = 0; i < resources.size(); ++i) {
    Resource& resource = resources[i];
    resource.props = std::move(dead[resource.node.id]);
    if (i == 0) continue;
    resource.locks = inherited;
    for (const ShownLock& lock : own) {
      if (lock.lock.root == resource.node.id) resource.locks.push_back({lock.lock, resource.href});
    }
  }
  return resources;
}

}  // namespace

// PROPFIND /dav/ -- the vaults, as collections.
Response PropfindVaults(Request& request, Context& context) {
  Propfind asked = ParsePropfind(request.ReadBody(kMaxXmlBytes));
  const Depth depth = MemberDepth(request, /*is_collection=*/true);
  const auto vaults = context.ReadOnce<VaultStore>([](VaultStore& store) { return store.List(); });
  const std::string href = OwnHref(request, /*is_collection=*/true);
  std::vector<Resource> resources{
      {.href = href, .node = {.name = "dav", .key = "dav", .is_collection = true}}};
  for (const Vault& vault : vaults) {
    if (depth != Depth::kOne) break;
    const Node node{.name = vault.slug,
                    .key = vault.slug,
                    .is_collection = true,
                    .created_at = vault.created_at,
                    .modified_at = vault.created_at};
    resources.push_back({.href = MemberHref(href, node), .node = node});
  }
  return Multistatus(std::move(resources), std::move(asked));
}

// PROPFIND -- properties of a file or a collection, and of the members of one. 403 for all that is below.
Response PropfindFile(Request& request, Context& context) {
  const Target target = TargetOf(request, context);
  Propfind asked = ParsePropfind(request.ReadBody(kMaxXmlBytes));
  if (IsReserved(target.path)) return ShowHistory(request, context, target, std::move(asked));
  auto resources = context.Read<VaultStore, NodeStore, PropStore, LockStore>(
      [&](VaultStore& vaults, NodeStore& nodes, PropStore& props, LockStore& locks) {
        Family family{nodes.Walk(target.vault.id, target.path), {}};
        if (!family.place.Exists()) throw NotFound("no_such_file");
        const Node& self = family.place.nodes.back();
        if (MemberDepth(request, self.is_collection) == Depth::kOne)
          family.members = nodes.Children(target.vault.id, self.id);
        std::vector<Resource> described = Describe(request, target, family, asked, props, locks);
        if (AsksForQuota(asked) && self.is_collection) {
          const Quota quota = QuotaOf(target.vault, vaults);
          described.front().quota_used = quota.used;
          described.front().quota_free = quota.free;
        }
        return described;
      });
  return Multistatus(std::move(resources), std::move(asked));
}

// PROPPATCH -- all changes, or none.
Response ProppatchFile(Request& request, Context& context) {
  const Target target = ChangedTargetOf(request, context);
  const std::vector<PropChange> changes = ParsePropertyUpdate(request.ReadBody(kMaxXmlBytes));
  std::vector<PropName> refused;
  for (const PropChange& change : changes) {
    if (IsProtected(change.prop.name)) refused.push_back(change.prop.name);
  }
  const Headers headers(request);
  const bool is_collection = context.Write<VaultStore, NodeStore, LockStore, PropStore>(
      [&](VaultStore& vaults, NodeStore& nodes, LockStore& locks, PropStore& props) {
        vaults.Lock(target.vault.id);
        const Place place = nodes.Walk(target.vault.id, target.path);
        headers.RequireHeld(target, place, nodes, locks);
        if (!place.Exists()) throw NotFound("no_such_file");
        headers.RequireUnlocked(target, place, locks);
        if (refused.empty()) props.Apply(target.vault.id, place.nodes.back().id, changes);
        return place.nodes.back().is_collection;
      });
  return Response{207,
                  {},
                  kMultistatusBegin + ProppatchResponse(OwnHref(request, is_collection), changes, refused) +
                      kMultistatusEnd,
                  std::nullopt}
      .With("Content-Type", kXmlType);
}

}  // namespace syncline::vault
