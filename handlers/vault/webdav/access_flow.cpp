#include "handlers/vault/webdav/access_flow.h"

#include <algorithm>
#include <map>

#include "handlers/base/errors.h"

namespace syncline::vault {
namespace {

constexpr std::string_view kFolder = "dav";

// What is there of the path's collection, without the last name.
std::vector<Node> ParentNodes(const Place& place) {
  const std::size_t count = std::min(place.nodes.size(), place.path.size());
  return {place.nodes.begin(), place.nodes.begin() + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace

Target TargetOf(const Request& request, Context& context) {
  const std::string slug(request.PathParam("vault"));
  // "dav" and the vault come first.
  const std::vector<std::string> names(
      request.segments.begin() + std::min<std::ptrdiff_t>(2, std::ssize(request.segments)),
      request.segments.end());
  Target target{.vault = {}, .path = PathOf(names), .has_slash = !names.empty() && names.back().empty()};
  const auto vault = context.ReadOnce<VaultStore>([&](VaultStore& vaults) { return vaults.Find(slug); });
  if (!vault) throw NotFound("no_such_vault");
  target.vault = *vault;
  return target;
}

Target ChangedTargetOf(const Request& request, Context& context) {
  Target target = TargetOf(request, context);
  if (IsReserved(target.path)) throw Forbidden("reserved_name");
  return target;
}

Target DestinationOf(const Request& request, const Vault& vault) {
  const auto header = request.Header("destination");
  if (!header) throw BadInput("no_destination");
  const auto segments = OwnSegments(*header, request);
  if (!segments || segments->size() < 2 || (*segments)[0] != kFolder || (*segments)[1] != vault.slug)
    throw Error(ErrorKind::kUpstream, "other_server");
  const std::vector<std::string> names(segments->begin() + 2, segments->end());
  Target target{.vault = vault, .path = PathOf(names), .has_slash = !names.empty() && names.back().empty()};
  if (IsReserved(target.path)) throw Forbidden("reserved_name");
  return target;
}

bool Headers::Holds(const IfCondition& condition, const Target& target, const Place& place,
                    LockStore& locks) const {
  bool matches = false;
  if (condition.token.empty()) {
    const auto found = place.Found();
    matches =
        found && !found->is_collection && condition.etag && IsSameStrongly(*condition.etag, ETagOf(*found));
  } else if (!place.nodes.empty()) {
    // A name that is not there is covered by infinite locks above it.
    std::vector<Lock> covering = locks.Covering(target.vault.id, place.nodes);
    if (!place.Exists()) std::erase_if(covering, [](const Lock& lock) { return !lock.is_infinite; });
    matches = std::any_of(covering.begin(), covering.end(),
                          [&](const Lock& lock) { return lock.token == condition.token; });
  }
  return matches != condition.is_negated;
}

void Headers::RequireHeld(const Target& target, const Place& place, NodeStore& nodes,
                          LockStore& locks) const {
  Check(conditions, CurrentOf(place.Found()));
  if (if_header.lists.empty()) return;
  for (const IfList& list : if_header.lists) {
    Place meant = place;
    if (list.uri) {
      const auto segments = OwnSegments(*list.uri, request_);
      if (!segments || segments->size() < 2 || (*segments)[1] != target.vault.slug) continue;
      meant = nodes.Walk(target.vault.id,
                         PathOf(std::vector<std::string>(segments->begin() + 2, segments->end())));
    }
    const bool holds =
        std::all_of(list.conditions.begin(), list.conditions.end(),
                    [&](const IfCondition& condition) { return Holds(condition, target, meant, locks); });
    if (holds) return;
  }
  throw Error(ErrorKind::kPreconditionFailed, "precondition_failed");
}

void Headers::RequireTokens(const std::vector<Lock>& locks) const {
  const std::vector<std::string> tokens = if_header.Tokens();
  std::map<NodeId, bool> is_open;
  for (const Lock& lock : locks) {
    const bool is_sent = std::find(tokens.begin(), tokens.end(), lock.token) != tokens.end();
    is_open[lock.root] = is_open[lock.root] || is_sent;
  }
  const bool is_locked =
      std::any_of(is_open.begin(), is_open.end(), [](const auto& entry) { return !entry.second; });
  if (is_locked) throw Error(ErrorKind::kLocked, "lock_token_submitted");
}

void Headers::RequireUnlocked(const Target& target, const Place& place, LockStore& locks) const {
  if (!place.Exists()) return RequireParentUnlocked(target, place, locks);
  RequireTokens(locks.Covering(target.vault.id, place.nodes));
}

void Headers::RequireParentUnlocked(const Target& target, const Place& place, LockStore& locks) const {
  const std::vector<Node> parents = ParentNodes(place);
  if (!parents.empty()) RequireTokens(locks.Covering(target.vault.id, parents));
}

bool Headers::AreAboutContent() const {
  if (conditions.if_match || conditions.if_none_match || conditions.if_unmodified_since) return true;
  return !if_header.lists.empty();
}

}  // namespace syncline::vault
