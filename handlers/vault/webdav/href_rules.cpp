#include "handlers/vault/webdav/href_rules.h"

#include <algorithm>
#include <vector>

#include "handlers/vault/webdav/multistatus_wire.h"

namespace syncline::vault {

std::string OwnHref(const Request& request, bool is_collection) {
  std::string href = request.path;
  while (href.ends_with('/')) href.pop_back();
  return is_collection ? href + "/" : href;
}

std::string MemberHref(const std::string& collection, const Node& member) {
  return collection + HrefName(member.name) + (member.is_collection ? "/" : "");
}

std::string HrefOf(const Request& request, const Place& place, NodeId node) {
  // "dav" and the vault, then one name for each node but the root.
  const std::vector<std::string> names = RawSegments(request.path);
  const auto at =
      std::find_if(place.nodes.begin(), place.nodes.end(), [&](const Node& one) { return one.id == node; });
  const auto count = std::min<std::ptrdiff_t>(2 + (at - place.nodes.begin()), std::ssize(names));
  std::string href;
  for (auto name = names.begin(); name != names.begin() + count; ++name) href += "/" + *name;
  return at != place.nodes.end() && at->is_collection ? href + "/" : href;
}

}  // namespace syncline::vault
