#include "handlers/vault/show_wire.h"

#include "handlers/base/errors.h"
#include "handlers/base/sha256.h"
#include "handlers/base/timestamp.h"

namespace syncline::vault {

Vault VaultOf(const Request& request, Context& context) {
  const std::string slug(request.PathParam("vault"));
  const auto vault = context.ReadOnce<VaultStore>([&](VaultStore& vaults) { return vaults.Find(slug); });
  if (!vault) throw NotFound("no_such_vault");
  return *vault;
}

void ShowVault(JsonWriter& json, const Vault& vault) {
  json.Object()
      .Add("name", vault.name)
      .Add("slug", vault.slug)
      .Add("encryption", vault.requires_encryption ? "required" : "off")
      .Add("documents_policy", NameOf(vault.documents))
      .Add("allows_archives", vault.allows_archives)
      .Add("max_bytes", vault.max_bytes)
      .Add("keep_versions", vault.keep_versions)
      .Add("keep_days", vault.keep_days)
      .Add("request_interval_s", vault.request_interval_s)
      .Add("used_bytes", vault.used_bytes)
      .Add("created_at", PrintTimestamp(vault.created_at))
      .End();
}

Response ShowVault(int status, const Vault& vault) {
  JsonWriter json;
  ShowVault(json, vault);
  return Response::Json(status, json.Finish());
}

void ShowVersion(JsonWriter& json, const Version& version) {
  const auto token_at =
      version.client_token_at ? std::optional(PrintTimestamp(*version.client_token_at)) : std::nullopt;
  json.Object()
      .Add("version", static_cast<std::int64_t>(version.id))
      .Add("file", static_cast<std::int64_t>(version.node))
      .Add("seq", version.seq)
      .Add("sha256", HexText(version.blob.sha256))
      .Add("size_bytes", version.blob.size_bytes)
      .Add("class", NameOf(version.content_class))
      .Add("has_plaintext", version.has_plaintext)
      .Add("state", NameOf(version.state))
      .Add("source", NameOf(version.source))
      .Add("device_id", static_cast<std::int64_t>(version.device))
      .Add("base_version", version.base_version)
      .Add("origin_version", version.origin_version)
      .Add("client_token_at", token_at)
      .Add("change_counter", version.change_counter)
      .Add("entries", version.entries)
      .Add("created_at", PrintTimestamp(version.created_at))
      .End();
}

void ShowEvent(JsonWriter& json, const PastEvent& event) {
  json.Object()
      .Add("event", event.id)
      .Add("at", PrintTimestamp(event.at))
      .Add("level", event.level)
      .Add("kind", event.kind)
      .Add("device_id", static_cast<std::int64_t>(event.device))
      .Add("source", event.source)
      .Add("path", event.path)
      .Add("message", event.message)
      .Add("version", event.version)
      .End();
}

}  // namespace syncline::vault
