#include "handlers/vault/version_handlers.h"

#include <limits>
#include <string>
#include <utility>

#include "handlers/base/blobs.h"
#include "handlers/base/errors.h"
#include "handlers/base/json_input.h"
#include "handlers/base/parameter_input.h"
#include "handlers/vault/show_wire.h"
#include "handlers/vault/tree/node_store.h"
#include "handlers/vault/versions/keeping_flow.h"
#include "handlers/vault/versions/vault_flow.h"

namespace syncline::vault {
namespace {

constexpr std::size_t kMaxBody = 64 << 10;
constexpr std::size_t kMaxPurged = 1000;
constexpr int kUsualPage = 100, kLargestPage = 1000;

struct Page {
  std::int64_t before = std::numeric_limits<std::int64_t>::max();
  int limit = kUsualPage;
};

Page ReadPage(ParameterInput& in) {
  return {.before = in.Query("before").Int(1).value_or(std::numeric_limits<std::int64_t>::max()),
          .limit = static_cast<int>(in.Query("limit").Int(1, kLargestPage).value_or(kUsualPage))};
}

VersionId VersionOfPath(const Request& request) {
  ParameterInput in(request);
  const auto id = in.Path("version").Int(1);
  in.ThrowIfAny();
  return VersionId{id.value_or(0)};
}

std::function<void(BodySink&)> WriterOf(Context& context, BlobId blob) {
  return [&context, blob](BodySink& sink) {
    context.WithDatabase([&](sql::Database& database) {
      ReadBlob(database, context.user(), kBlobService, blob,
               [&](std::string_view bytes) { sink.Write(bytes); });
    });
  };
}

void AddFiles(Context& context, NodeStore& nodes, VaultId vault, NodeId collection, const std::string& name,
              std::vector<ExportedFile>& files) {
  for (const Node& node : nodes.Children(vault, collection)) {
    const std::string path = name + "/" + node.name;
    if (node.is_collection) AddFiles(context, nodes, vault, node.id, path, files);
    if (node.head) files.push_back({path, WriterOf(context, node.head->blob)});
  }
}

}  // namespace

// GET /vault/vaults/{vault}/versions?path=&plaintext=&before=&limit= -- newest first, of one file or of all.
Response GetVersions(Request& request, Context& context) {
  ParameterInput in(request);
  const Page page = ReadPage(in);
  const bool plaintext_only = in.Query("plaintext").Bool().value_or(false);
  const auto path = in.Query("path").Text(kMaxPathBytes);
  in.ThrowIfAny();
  const Vault vault = VaultOf(request, context);
  const auto versions = context.Read<NodeStore, VersionStore>([&](NodeStore& nodes, VersionStore& store) {
    if (!path) return store.Page(vault.id, VersionId{page.before}, plaintext_only, page.limit);
    const auto file = nodes.Walk(vault.id, PathOf(*path)).Found();
    if (!file || file->is_collection) throw NotFound("no_such_file");
    return store.OfNode(vault.id, file->id);
  });
  JsonWriter json;
  json.Object().Array("versions");
  for (const Version& version : versions) ShowVersion(json, version);
  return Response::Json(200, json.Finish());
}

// GET /vault/vaults/{vault}/versions/{version}/content
Response GetVersionContent(Request& request, Context& context) {
  const VersionId id = VersionOfPath(request);
  const Vault vault = VaultOf(request, context);
  const auto version =
      context.ReadOnce<VersionStore>([&](VersionStore& store) { return store.Find(vault.id, id); });
  if (!version) throw NotFound("no_such_version");
  return Response::Stream(WriterOf(context, version->blob.id),
                          static_cast<std::uint64_t>(version->blob.size_bytes))
      .With("Content-Disposition", "attachment");
}

// POST /vault/vaults/{vault}/versions/{version}/restore -- as a new version of its file.
Response PostRestore(Request& request, Context& context) {
  const VersionId id = VersionOfPath(request);
  const Vault vault = VaultOf(request, context);
  JsonWriter json;
  ShowVersion(json, RestoreVersion(context, vault.id, id, Source::kUi));
  return Response::Json(201, json.Finish());
}

// POST /vault/vaults/{vault}/versions/{version}/resolve -- a conflict copy was looked at.
Response PostResolve(Request& request, Context& context) {
  const VersionId id = VersionOfPath(request);
  ResolveConflict(context, VaultOf(request, context).id, id);
  return Response::Empty();
}

// POST /vault/vaults/{vault}/purge -- destroys versions; `confirm` repeats the vault's slug. They cannot be brought back.
Response PostPurge(Request& request, Context& context) {
  struct Wanted {
    std::string confirm;
    bool is_plaintext;
    std::vector<VersionId> versions;
  };
  const Wanted wanted = ReadJson(request.ReadBody(kMaxBody), [](const JsonObject& in) {
    return Wanted{
        .confirm = in.Text("confirm", kMaxNameBytes),
        .is_plaintext = in.Maybe("plaintext").Bool().value_or(false),
        .versions = in.Maybe("versions")
                        .List(kMaxPurged, [](const JsonValue& one) { return VersionId{one.Int(1)}; })
                        .value_or(std::vector<VersionId>())};
  });
  const Vault vault = VaultOf(request, context);
  if (wanted.confirm != vault.slug) throw Conflict("not_confirmed");
  std::int64_t purged = PurgeVersions(context, vault.id, wanted.versions, Source::kUi);
  if (wanted.is_plaintext) purged += PurgePlaintext(context, vault.id, Source::kUi);
  return Response::Json(200, JsonWriter().Object().Add("purged", purged).Finish());
}

// GET /vault/vaults/{vault}/events?before=&limit= -- newest first.
Response GetEvents(Request& request, Context& context) {
  ParameterInput in(request);
  const Page page = ReadPage(in);
  in.ThrowIfAny();
  const Vault vault = VaultOf(request, context);
  JsonWriter json;
  json.Object().Array("events");
  for (const PastEvent& event : context.ReadOnce<EventStore>(
           [&](EventStore& events) { return events.Page(vault.id, page.before, page.limit); }))
    ShowEvent(json, event);
  return Response::Json(200, json.Finish());
}

std::vector<ExportedFile> ExportFiles(Context& context) {
  return context.Read<VaultStore, NodeStore>([&](VaultStore& vaults, NodeStore& nodes) {
    std::vector<ExportedFile> files;
    for (const Vault& vault : vaults.List())
      AddFiles(context, nodes, vault.id, kRoot, "vault/" + vault.slug, files);
    return files;
  });
}

}  // namespace syncline::vault
