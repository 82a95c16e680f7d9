#include "handlers/vault/webdav/lock_handlers.h"

#include <algorithm>
#include <utility>

#include "handlers/base/errors.h"
#include "handlers/vault/webdav/access_flow.h"
#include "handlers/vault/webdav/body_wire.h"
#include "handlers/vault/webdav/href_rules.h"
#include "handlers/vault/webdav/multistatus_wire.h"

namespace syncline::vault {
namespace {

constexpr const char* kXmlType = "application/xml; charset=\"utf-8\"";

Response ShowLock(int status, const ShownLock& lock) {
  return Response{status, {}, LockBody(lock), std::nullopt}.With("Content-Type", kXmlType);
}

// A lock is refreshed with its token in If, also through a member of what it covers.
Response Refresh(const Request& request, Context& context, const Target& target, const Headers& headers) {
  const std::vector<std::string> tokens = headers.if_header.Tokens();
  if (tokens.size() != 1) throw BadInput("lock_needs_body_or_token");
  const int timeout = TimeoutOf(request);
  const auto shown = context.Write<VaultStore, NodeStore, LockStore>(
      [&](VaultStore& vaults, NodeStore& nodes, LockStore& locks) {
        vaults.Lock(target.vault.id);
        const Place place = nodes.Walk(target.vault.id, target.path);
        if (!place.Exists()) throw NotFound("no_such_file");
        for (const Lock& lock : locks.Covering(target.vault.id, place.nodes)) {
          if (lock.token != tokens.front()) continue;
          const auto refreshed = locks.Refresh(target.vault.id, lock.root, lock.token, timeout);
          if (refreshed) return ShownLock{*refreshed, HrefOf(request, place, lock.root)};
        }
        throw Error(ErrorKind::kPreconditionFailed, "lock_token_matches_request_uri");
      });
  return ShowLock(200, shown);
}

// Exclusive against anything; shared against exclusive.
void RequireNoConflict(const std::vector<Lock>& others, bool is_exclusive) {
  const bool is_refused = std::any_of(others.begin(), others.end(),
                                      [&](const Lock& other) { return is_exclusive || other.is_exclusive; });
  if (is_refused) throw Error(ErrorKind::kLocked, "no_conflicting_lock");
}

}  // namespace

// LOCK -- 200 for what is there; 201 for a free name, which becomes an empty file: davfs2 goes by the difference.
Response LockFile(Request& request, Context& context) {
  const Target target = ChangedTargetOf(request, context);
  const Headers headers(request);
  const Depth depth = DepthOf(request, Depth::kInfinity);
  if (depth == Depth::kOne) throw BadInput("bad_depth");
  const std::string body = request.ReadBody(kMaxXmlBytes);
  if (body.empty()) return Refresh(request, context, target, headers);
  const LockInfo info = ParseLockInfo(body);
  const Lock wanted{.is_exclusive = info.is_exclusive,
                    .is_infinite = depth == Depth::kInfinity,
                    .owner_xml = info.owner_xml,
                    .timeout_s = TimeoutOf(request)};
  const auto [is_new, shown] = context.Write<VaultStore, NodeStore, LockStore>(
      [&](VaultStore& vaults, NodeStore& nodes, LockStore& locks) {
        vaults.Lock(target.vault.id);
        Place place = nodes.Walk(target.vault.id, target.path);
        headers.RequireHeld(target, place, nodes, locks);
        const bool was_there = place.Exists();
        if (!was_there) {
          const Node* const parent = place.Parent();
          if (parent == nullptr) throw Conflict("no_parent");
          headers.RequireParentUnlocked(target, place, locks);
          // By its id: a collection's name may end in a slash here, but what is made is a file.
          nodes.Add(target.vault.id, parent->id, target.path.back(), /*is_collection=*/false);
          place = nodes.Walk(target.vault.id, target.path);
        }
        RequireNoConflict(locks.Covering(target.vault.id, place.nodes), info.is_exclusive);
        if (wanted.is_infinite)
          RequireNoConflict(locks.Below(target.vault.id, place.nodes.back().id), info.is_exclusive);
        Lock lock = wanted;
        lock.root = place.nodes.back().id;
        lock = locks.Add(target.vault.id, lock);
        return std::pair(!was_there, ShownLock{lock, HrefOf(request, place, lock.root)});
      });
  return ShowLock(is_new ? 201 : 200, shown).With("Lock-Token", "<" + shown.lock.token + ">");
}

// UNLOCK -- with the token, also through a member of what it covers.
Response UnlockFile(Request& request, Context& context) {
  const Target target = ChangedTargetOf(request, context);
  const std::string token = LockTokenOf(request);
  context.Write<VaultStore, NodeStore, LockStore>([&](VaultStore& vaults, NodeStore& nodes,
                                                      LockStore& locks) {
    vaults.Lock(target.vault.id);
    const Place place = nodes.Walk(target.vault.id, target.path);
    if (!place.Exists()) throw NotFound("no_such_file");
    const std::vector<Lock> covering = locks.Covering(target.vault.id, place.nodes);
    const auto found =
        std::find_if(covering.begin(), covering.end(), [&](const Lock& lock) { return lock.token == token; });
    if (found == covering.end()) throw Conflict("lock_token_matches_request_uri");
    locks.Remove(target.vault.id, found->root, token);
  });
  return Response::Empty();
}

}  // namespace syncline::vault
