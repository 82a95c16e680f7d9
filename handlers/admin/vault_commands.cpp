// syncline-admin vault ...: the vaults of an account, their versions and events.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <limits>

#include "handlers/admin/commands.h"
#include "handlers/admin/password_input.h"
#include "handlers/base/errors.h"
#include "handlers/vault/versions/event_store.h"
#include "handlers/vault/versions/keeping_flow.h"
#include "handlers/vault/versions/vault_flow.h"

namespace syncline::admin {
namespace {

using vault::Vault;
using vault::Version;

struct Choice {
  std::string user, slug, name, encryption;
  std::int64_t version = 0;
  int limit = 20;
  vault::VaultChange change{};
  bool is_confirmed = false, is_plaintext = false;
};

constexpr auto kNewest = std::numeric_limits<std::int64_t>::max();

Context& ContextFor(Tool& tool, const Choice& choice) {
  return tool.ContextOf(tool.Find(choice.user).id);
}

Vault FindVault(Context& context, const Choice& choice) {
  const auto found = context.ReadOnce<vault::VaultStore>(
      [&](vault::VaultStore& vaults) { return vaults.Find(choice.slug); });
  if (!found) throw Refusal(choice.user + " has no vault " + choice.slug);
  return *found;
}

void PrintVaults(const std::vector<Vault>& vaults) {
  std::vector<std::vector<std::string>> rows;
  for (const Vault& one : vaults) {
    rows.push_back({one.slug, one.name, one.requires_encryption ? "required" : "off",
                    SizeText(one.used_bytes), std::to_string(one.keep_versions),
                    std::to_string(one.keep_days)});
  }
  PrintTable({"VAULT", "NAME", "ENCRYPTION", "USED", "VERSIONS KEPT", "DAYS KEPT"}, rows);
}

int List(Tool& tool, const Choice& choice) {
  PrintVaults(ContextFor(tool, choice).ReadOnce<vault::VaultStore>([](vault::VaultStore& vaults) {
    return vaults.List();
  }));
  return 0;
}

int Create(Tool& tool, const Choice& choice) {
  PrintVaults({vault::CreateVault(ContextFor(tool, choice), choice.name.empty() ? choice.slug : choice.name,
                                  choice.slug)});
  return 0;
}

// What a person at the machine may do without the account's password, which only the account's owner knows.
int Set(Tool& tool, const Choice& choice) {
  Context& context = ContextFor(tool, choice);
  Vault changed = vault::ChangeVault(context, FindVault(context, choice).id, choice.change);
  if (!choice.encryption.empty())
    changed =
        vault::SwitchEncryption(context, changed.id, choice.encryption == "required", vault::Source::kUi);
  PrintVaults({changed});
  return 0;
}

int Versions(Tool& tool, const Choice& choice) {
  Context& context = ContextFor(tool, choice);
  const Vault found = FindVault(context, choice);
  std::vector<std::vector<std::string>> rows;
  for (const Version& version : context.ReadOnce<vault::VersionStore>([&](vault::VersionStore& store) {
         return store.Page(found.id, vault::VersionId{kNewest}, choice.is_plaintext, choice.limit);
       })) {
    rows.push_back({std::to_string(static_cast<std::int64_t>(version.id)),
                    std::to_string(static_cast<std::int64_t>(version.node)), TimeText(version.created_at),
                    SizeText(version.blob.size_bytes), vault::NameOf(version.content_class),
                    vault::NameOf(version.state), vault::NameOf(version.source)});
  }
  PrintTable({"VERSION", "FILE", "SAVED", "SIZE", "CLASS", "STATE", "SOURCE"}, rows);
  return 0;
}

int Restore(Tool& tool, const Choice& choice) {
  Context& context = ContextFor(tool, choice);
  const Version restored = vault::RestoreVersion(context, FindVault(context, choice).id,
                                                 vault::VersionId{choice.version}, vault::Source::kUi);
  std::printf("version %lld is back as version %lld\n", static_cast<long long>(choice.version),
              static_cast<long long>(restored.id));
  return 0;
}

int Purge(Tool& tool, const Choice& choice) {
  Context& context = ContextFor(tool, choice);
  const Vault found = FindVault(context, choice);
  if (choice.is_plaintext == (choice.version != 0)) throw UsageError("give either a version or --plaintext");
  if (!choice.is_confirmed &&
      !Confirm("This destroys versions for ever. Type the vault to go on: ", found.slug))
    throw Refusal("nothing was destroyed");
  const std::int64_t purged =
      choice.is_plaintext
          ? vault::PurgePlaintext(context, found.id, vault::Source::kUi)
          : vault::PurgeVersions(context, found.id, {vault::VersionId{choice.version}}, vault::Source::kUi);
  std::printf("destroyed %s\n", CountText(purged, "version", "versions").c_str());
  return 0;
}

int Events(Tool& tool, const Choice& choice) {
  Context& context = ContextFor(tool, choice);
  const Vault found = FindVault(context, choice);
  std::vector<std::vector<std::string>> rows;
  for (const vault::PastEvent& event : context.ReadOnce<vault::EventStore>(
           [&](vault::EventStore& events) { return events.Page(found.id, kNewest, choice.limit); })) {
    rows.push_back({TimeText(event.at), event.level, event.kind, event.source, event.path, event.message});
  }
  PrintTable({"WHEN", "LEVEL", "WHAT", "SOURCE", "FILE", "DETAIL"}, rows);
  return 0;
}

}  // namespace

void AddVaultCommands(CLI::App& app, Tool& tool) {
  auto* const group = app.add_subcommand("vault", "Vaults: files with all their versions");
  group->require_subcommand(1);
  const auto choice = std::make_shared<Choice>();
  const auto add = [&](const char* name, const char* help, int (*run)(Tool&, const Choice&),
                       bool is_of_vault = true) {
    auto* const command = group->add_subcommand(name, help);
    command->add_option("account", choice->user, "Name of the account")->required();
    if (is_of_vault) command->add_option("vault", choice->slug, "The vault, as in its address")->required();
    command->callback(
        [&tool, choice, run] { tool.command = [&tool, choice, run] { return run(tool, *choice); }; });
    return command;
  };
  add("list", "List the vaults of an account", List, /*is_of_vault=*/false);
  add("create", "Make a vault", Create)->add_option("--name", choice->name, "As it is shown");
  auto* const set = add("set", "Change settings of a vault", Set);
  set->add_option("--encryption", choice->encryption, "Whether plaintext is refused")
      ->check(CLI::IsMember({"off", "required"}));
  set->add_option("--keep-versions", choice->change.keep_versions, "Latest versions kept of a file")
      ->check(CLI::Range(1, 10'000));
  set->add_option("--keep-days", choice->change.keep_days, "Days for which versions are kept")
      ->check(CLI::Range(1, 3650));
  set->add_option("--max-bytes", choice->change.max_bytes,
                  "Bytes of all versions together; 0: no limit of its own")
      ->check(CLI::NonNegativeNumber);
  auto* const versions = add("versions", "List versions, newest first", Versions);
  versions->add_option("--limit", choice->limit, "How many")->check(CLI::Range(1, 1000));
  versions->add_flag("--plaintext", choice->is_plaintext, "Those with plaintext of a database only");
  add("restore", "Make a version what readers get", Restore)
      ->add_option("version", choice->version)
      ->required();
  auto* const purge = add("purge", "Destroy a version, or all with plaintext", Purge);
  purge->add_option("version", choice->version, "The version");
  purge->add_flag("--plaintext", choice->is_plaintext,
                  "All with plaintext of a database, or that were not looked into");
  purge->add_flag("--yes", choice->is_confirmed, "Do not ask");
  AddVaultDeviceCommands(*group, tool);
  add("events", "List what has happened, newest first", Events)
      ->add_option("--limit", choice->limit, "How many")
      ->check(CLI::Range(1, 1000));
}

}  // namespace syncline::admin
