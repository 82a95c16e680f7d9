#include "handlers/vault/webdav/change_flow.h"

#include <utility>

#include "handlers/base/blobs.h"
#include "handlers/base/errors.h"
#include "handlers/vault/content/content_rules.h"
#include "handlers/vault/versions/policy_rules.h"

namespace syncline::vault {
namespace {

/// What a file is that comes to the name of a database, read before the transaction.
struct Rescan {
  VersionId version{};
  ContentReport report{};
};

/// The stores of one transaction.
struct Stores {
  NodeStore& nodes;
  LockStore& locks;
  PropStore& props;
  VersionStore& versions;
  EventStore& events;
};

bool IsSameOrWithin(const Path& inner, const Path& outer) {
  if (inner.size() < outer.size()) return false;
  for (std::size_t i = 0; i < outer.size(); ++i) {
    if (inner[i].key != outer[i].key) return false;
  }
  return true;
}

ContentReport ReadContent(Context& context, const Head& head, bool looks_into_zips) {
  ContentScan scan(looks_into_zips);
  context.WithDatabase([&](sql::Database& database) {
    ReadBlob(database, context.user(), kBlobService, head.blob,
             [&](std::string_view bytes) { scan.Write(bytes); });
  });
  return scan.Finish(context.Now());
}

class TransferRun {
 public:
  TransferRun(Stores stores, const Vault& vault, const Transfer& transfer,
              const std::optional<Rescan>& rescan, DeviceId device)
      : in_(stores), vault_(vault), transfer_(transfer), rescan_(rescan), device_(device) {}

  bool Run(const Headers& headers) {
    const Place from = in_.nodes.Walk(vault_.id, transfer_.from.path);
    headers.RequireHeld(transfer_.from, from, in_.nodes, in_.locks);
    if (!from.Exists()) throw NotFound("no_such_file");
    const Place to = in_.nodes.Walk(vault_.id, transfer_.to.path);
    const Node* parent = to.Parent();
    if (parent == nullptr) throw Conflict("no_parent");
    if (transfer_.is_move) {
      headers.RequireParentUnlocked(transfer_.from, from, in_.locks);
      headers.RequireUnlocked(transfer_.from, from, in_.locks);
      headers.RequireTokens(in_.locks.Below(vault_.id, from.nodes.back().id));
    }
    headers.RequireUnlocked(transfer_.to, to, in_.locks);
    headers.RequireParentUnlocked(transfer_.to, to, in_.locks);
    if (to.Exists()) {
      if (!transfer_.overwrites) throw Error(ErrorKind::kPreconditionFailed, "destination_exists");
      headers.RequireTokens(in_.locks.Below(vault_.id, to.nodes.back().id));
      KeepConflict(to.nodes.back());
      in_.nodes.Delete(vault_.id, to.nodes.back().id);
    }
    Put(from.nodes.back(), parent->id, transfer_.to.path);
    if (transfer_.is_move) in_.nodes.Touch(vault_.id, *from.nodes.back().parent);
    return !to.Exists();
  }

 private:
  // The head of a database that another device has saved is not lost among old versions.
  void KeepConflict(const Node& replaced) {
    const Path& path = transfer_.to.path;
    if (!IsDocument(path) || !replaced.head || replaced.head->device == device_) return;
    in_.versions.SetState(vault_.id, replaced.head->version, VersionState::kConflict);
    in_.events.Add(
        vault_.id,
        {.level = EventLevel::kWarning,
         .kind = "upload_conflict",
         .device = device_,
         .source = Source::kWebdav,
         .path = TextOf(path),
         .message = "Another device had saved in between. What it had saved is kept as a conflict copy.",
         .version = replaced.head->version});
  }

  // `node` as the last name of `path`, which nothing has now.
  void Put(const Node& node, NodeId parent, const Path& path) {
    const PathName& name = path.back();
    if (!node.is_collection) CheckFile(node, path);
    if (transfer_.is_move && !in_.nodes.FindAny(vault_.id, parent, name, node.is_collection)) {
      // Properties and versions go with the node; locks do not (RFC 4918, 9.9).
      in_.locks.RemoveBelow(vault_.id, node.id);
      in_.nodes.Move(vault_.id, node.id, parent, name);
      return;
    }
    const Node made = in_.nodes.Add(vault_.id, parent, name, node.is_collection);
    in_.props.Copy(vault_.id, node.id, made.id);
    if (node.head) PutContent(*node.head, made, path);
    if (node.is_collection && !transfer_.is_shallow) {
      for (const Node& member : in_.nodes.Children(vault_.id, node.id)) {
        Path below = path;
        below.push_back({member.name, member.key});
        Put(member, made.id, below);
      }
    }
    if (transfer_.is_move) in_.nodes.Delete(vault_.id, node.id);
  }

  // Whether a content may have that name.
  void CheckFile(const Node& file, const Path& path) {
    if (!rescan_ || !file.head || path.size() != transfer_.to.path.size()) return;
    // It was replaced since it was read.
    if (file.head->version != rescan_->version) throw Busy("file_changed");
    CheckContent(vault_, path, rescan_->report);
  }

  void PutContent(const Head& head, const Node& file, const Path& path) {
    Version version = in_.versions.Find(vault_.id, head.version).value();
    const bool is_read = rescan_ && rescan_->version == head.version;
    if (is_read) {
      const ContentReport& report = rescan_->report;
      version.content_class = report.content_class;
      version.has_plaintext = report.MayHavePlaintext();
      version.entries =
          report.zip.state == ZipState::kNotRead ? std::nullopt : std::optional(report.zip.entries);
      version.state = StateOf(path, report, std::nullopt);
    } else {
      version.state = VersionState::kOk;
    }
    version.origin_version = static_cast<std::int64_t>(head.version);
    version.base_version.reset();
    version.node = file.id;
    version.device = device_;
    version.source = Source::kWebdav;
    const Version added = in_.versions.Add(vault_, version);
    if (BecomesHead(version.state, std::nullopt)) in_.versions.SetHead(vault_.id, file.id, added.id);
  }

  Stores in_;
  const Vault& vault_;
  const Transfer& transfer_;
  const std::optional<Rescan>& rescan_;
  const DeviceId device_;
};

// Only a file that comes to the name of a database from another one has to be read: elsewhere its class is all that matters.
std::optional<Rescan> RescanFor(Context& context, const Transfer& transfer) {
  if (!IsDocument(transfer.to.path)) return std::nullopt;
  const auto file = context.ReadOnce<NodeStore>(
      [&](NodeStore& nodes) { return nodes.Walk(transfer.from.vault.id, transfer.from.path).Found(); });
  if (!file || !file->head) return std::nullopt;
  return Rescan{file->head->version,
                ReadContent(context, *file->head, LooksIntoZips(transfer.to.vault, transfer.to.path))};
}

}  // namespace

bool RunTransfer(Context& context, const Headers& headers, const Transfer& transfer) {
  // The other way round, what is replaced would take along what replaces it.
  if (IsSameOrWithin(transfer.to.path, transfer.from.path) ||
      IsSameOrWithin(transfer.from.path, transfer.to.path))
    throw Forbidden("same_place");
  const std::optional<Rescan> rescan = RescanFor(context, transfer);
  return context.Write<VaultStore, NodeStore, LockStore, PropStore, VersionStore, EventStore>(
      [&](VaultStore& vaults, NodeStore& nodes, LockStore& locks, PropStore& props, VersionStore& versions,
          EventStore& events) {
        const Vault vault = vaults.Lock(transfer.from.vault.id);
        return TransferRun({nodes, locks, props, versions, events}, vault, transfer, rescan, context.device())
            .Run(headers);
      });
}

void RunDelete(Context& context, const Headers& headers, const Target& target) {
  if (target.path.empty()) throw Forbidden("root");
  context.Write<VaultStore, NodeStore, LockStore, EventStore>(
      [&](VaultStore& vaults, NodeStore& nodes, LockStore& locks, EventStore& events) {
        vaults.Lock(target.vault.id);
        const Place place = nodes.Walk(target.vault.id, target.path);
        headers.RequireHeld(target, place, nodes, locks);
        if (!place.Exists()) throw NotFound("no_such_file");
        headers.RequireParentUnlocked(target, place, locks);
        headers.RequireUnlocked(target, place, locks);
        headers.RequireTokens(locks.Below(target.vault.id, place.nodes.back().id));
        nodes.Delete(target.vault.id, place.nodes.back().id);
        nodes.Touch(target.vault.id, *place.nodes.back().parent);
        if (!IsDocument(target.path)) return;
        events.Add(target.vault.id, {.level = EventLevel::kWarning,
                                     .kind = "deleted",
                                     .device = context.device(),
                                     .source = Source::kWebdav,
                                     .path = TextOf(target.path),
                                     .message = "The file was deleted. Its versions are kept."});
      });
}

}  // namespace syncline::vault
