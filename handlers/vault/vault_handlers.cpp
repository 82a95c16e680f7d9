#include "handlers/vault/vault_handlers.h"

#include "handlers/account/account_wire.h"
#include "handlers/account/login/registration_flow.h"
#include "handlers/base/errors.h"
#include "handlers/base/json_input.h"
#include "handlers/vault/show_wire.h"
#include "handlers/vault/versions/vault_flow.h"

namespace syncline::vault {
namespace {

constexpr std::size_t kMaxBody = 16 << 10;
constexpr std::size_t kMaxName = 100, kMaxSlug = 64;
constexpr std::int64_t kMaxBytes = std::int64_t{1} << 50;
constexpr int kMaxVersions = 10'000, kMaxDays = 3650, kShortestInterval = 60, kLongestInterval = 86'400;

std::optional<int> ReadInt(const JsonObject& in, std::string_view key, int min, int max) {
  const auto number = in.Maybe(key).Int(min, max);
  return number ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

VaultChange ReadChange(const JsonObject& in) {
  VaultChange change{.name = in.Maybe("name").Text(kMaxName, 1)};
  if (const auto policy = in.Maybe("documents_policy").Choice(kPolicyNames))
    change.documents = static_cast<DocumentsPolicy>(*policy);
  change.allows_archives = in.Maybe("allows_archives").Bool();
  change.max_bytes = in.Maybe("max_bytes").Int(0, kMaxBytes);
  change.keep_versions = ReadInt(in, "keep_versions", 1, kMaxVersions);
  change.keep_days = ReadInt(in, "keep_days", 1, kMaxDays);
  change.request_interval_s = ReadInt(in, "request_interval_s", kShortestInterval, kLongestInterval);
  in.RefuseOthers();
  return change;
}

}  // namespace

// GET /vault/vaults -- all of the caller.
Response GetVaults(Request&, Context& context) {
  JsonWriter json;
  json.Object().Array("vaults");
  for (const Vault& vault : context.ReadOnce<VaultStore>([](VaultStore& vaults) { return vaults.List(); }))
    ShowVault(json, vault);
  return Response::Json(200, json.Finish());
}

// POST /vault/vaults -- a new one. Its slug is part of its address.
Response PostVault(Request& request, Context& context) {
  struct Wanted {
    std::string name, slug;
  };
  const Wanted wanted = ReadJson(request.ReadBody(kMaxBody), [](const JsonObject& in) {
    return Wanted{.name = in.Text("name", kMaxName, 1), .slug = in.Text("slug", kMaxSlug, 1)};
  });
  return ShowVault(201, CreateVault(context, wanted.name, wanted.slug));
}

// GET /vault/vaults/{vault}
Response GetVault(Request& request, Context& context) {
  return ShowVault(200, VaultOf(request, context));
}

// PATCH /vault/vaults/{vault} -- settings, but for encryption.
Response PatchVault(Request& request, Context& context) {
  const VaultChange change = ReadJson(request.ReadBody(kMaxBody), ReadChange);
  return ShowVault(200, ChangeVault(context, VaultOf(request, context).id, change));
}

// PUT /vault/vaults/{vault}/encryption -- 409 while there are versions with plaintext; off needs the password of the account again.
Response PutEncryption(Request& request, Context& context) {
  struct Wanted {
    bool is_required;
    std::optional<std::string> password;
  };
  const Wanted wanted = ReadJson(request.ReadBody(kMaxBody), [](const JsonObject& in) {
    Wanted read{.is_required = in.Bool("required"), .password = std::nullopt};
    if (!read.is_required) read.password = account::ReadPassword(in["password"]);
    return read;
  });
  const Vault vault = VaultOf(request, context);
  if (wanted.password) account::CheckOwnPassword(context, *wanted.password, request.remote_address);
  return ShowVault(200, SwitchEncryption(context, vault.id, wanted.is_required, Source::kUi));
}

}  // namespace syncline::vault
