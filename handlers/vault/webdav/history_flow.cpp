#include "handlers/vault/webdav/history_flow.h"

#include <charconv>
#include <utility>

#include "handlers/vault/versions/version_store.h"

namespace syncline::vault {
namespace {

constexpr std::string_view kVersions = "versions";

Node Folder(const std::string& name, sql::Time at) {
  return {.name = name, .key = name, .is_collection = true, .created_at = at, .modified_at = at};
}

Node FileOf(const Version& version) {
  const std::string name = std::to_string(version.seq);
  return {.id = version.node,
          .name = name,
          .key = name,
          .head = Head{.version = version.id,
                       .blob = version.blob.id,
                       .sha256 = version.blob.sha256,
                       .size_bytes = version.blob.size_bytes,
                       .content_class = version.content_class,
                       .state = NameOf(version.state),
                       .device = version.device,
                       .change_counter = version.change_counter,
                       .created_at = version.created_at},
          .created_at = version.created_at,
          .modified_at = version.created_at};
}

std::optional<std::int64_t> SeqOf(const std::string& name) {
  std::int64_t seq = 0;
  const char* const end = name.data() + name.size();
  const auto [at, error] = std::from_chars(name.data(), end, seq);
  return error == std::errc() && at == end ? std::optional(seq) : std::nullopt;
}

// Collections stay collections, and a file is one of its versions.
HistoryPlace ShowNode(const Node& node, NodeStore& nodes, VersionStore& versions, VaultId vault) {
  HistoryPlace place{Folder(node.name, node.modified_at), {}};
  if (node.is_collection) {
    for (const Node& member : nodes.Children(vault, node.id))
      place.members.push_back(Folder(member.name, member.modified_at));
  } else {
    for (const Version& version : versions.OfNode(vault, node.id)) place.members.push_back(FileOf(version));
  }
  return place;
}

}  // namespace

std::optional<HistoryPlace> FindHistory(Context& context, VaultId vault, const Path& path) {
  const sql::Time epoch{};
  if (path.size() == 1)
    return HistoryPlace{Folder(path[0].name, epoch), {Folder(std::string(kVersions), epoch)}};
  if (path[1].key != kVersions) return std::nullopt;
  const Path within(path.begin() + 2, path.end());
  return context.Read<NodeStore, VersionStore>(
      [&](NodeStore& nodes, VersionStore& versions) -> std::optional<HistoryPlace> {
        const Place place = nodes.Walk(vault, within);
        if (place.Exists()) return ShowNode(place.nodes.back(), nodes, versions, vault);
        // One name more than there is: a version of a file.
        if (within.size() != place.nodes.size() || place.nodes.back().is_collection) return std::nullopt;
        const auto seq = SeqOf(within.back().name);
        const auto version = seq ? versions.FindBySeq(vault, place.nodes.back().id, *seq) : std::nullopt;
        if (!version) return std::nullopt;
        return HistoryPlace{FileOf(*version), {}};
      });
}

}  // namespace syncline::vault
