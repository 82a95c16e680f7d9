// syncline-admin vault device ...: the desktops that send to a vault over Socket.IO.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>

#include "handlers/admin/commands.h"
#include "handlers/vault/socketio/desktop_flow.h"

namespace syncline::admin {
namespace {

using vault::Vault;
using vault::VaultDevice;
using vault::VaultDeviceStore;
using vault::VaultStore;

struct Choice {
  std::string user, vault, name;
  std::int64_t device = 0;
};

Vault VaultOf(Context& context, const Choice& choice) {
  auto found = context.ReadOnce<VaultStore>([&](VaultStore& vaults) { return vaults.Find(choice.vault); });
  if (!found) throw Refusal(choice.user + " has no vault " + choice.vault);
  return *std::move(found);
}

int Add(Tool& tool, const Choice& choice) {
  Context& context = tool.ContextOf(tool.Find(choice.user).id);
  const auto device = vault::AddVaultDevice(context, VaultOf(context, choice).id, choice.name);
  std::printf(
      "device %lld; its key, which is shown only now:\n%s\nor, as the namespace in the desktop's "
      "settings:\n%s\n",
      static_cast<long long>(device.id), device.key.c_str(), vault::NamespaceOf(device.key).c_str());
  return 0;
}

int List(Tool& tool, const Choice& choice) {
  Context& context = tool.ContextOf(tool.Find(choice.user).id);
  const Vault vault = VaultOf(context, choice);
  const auto devices =
      context.ReadOnce<VaultDeviceStore>([&](VaultDeviceStore& store) { return store.List(vault.id); });
  std::vector<std::vector<std::string>> rows;
  for (const VaultDevice& device : devices) {
    rows.push_back({std::to_string(static_cast<std::int64_t>(device.id)),
                    vault::NameOf(vault::PresenceOf(context, device.id)), TimeText(device.created_at),
                    TimeText(device.last_seen_at), TimeText(device.last_upload_at), device.name});
  }
  PrintTable({"ID", "STATE", "CREATED", "LAST SEEN", "LAST UPLOAD", "NAME"}, rows);
  return 0;
}

int Remove(Tool& tool, const Choice& choice) {
  Context& context = tool.ContextOf(tool.Find(choice.user).id);
  if (!vault::RemoveVaultDevice(context, VaultOf(context, choice).id, DeviceId{choice.device}))
    throw Refusal(choice.vault + " has no device " + std::to_string(choice.device));
  std::printf("removed device %lld\n", static_cast<long long>(choice.device));
  return 0;
}

}  // namespace

void AddVaultDeviceCommands(CLI::App& parent, Tool& tool) {
  CLI::App* group = parent.add_subcommand("device", "Desktops that send to a vault over Socket.IO");
  group->require_subcommand(1);
  const auto choice = std::make_shared<Choice>();
  const auto add = [&](const char* name, const char* help, int (*run)(Tool&, const Choice&)) {
    CLI::App* command = group->add_subcommand(name, help);
    command->add_option("USER", choice->user, "Name of the account")->required();
    command->add_option("VAULT", choice->vault, "Name of the vault in addresses")->required();
    command->callback(
        [&tool, choice, run] { tool.command = [&tool, choice, run] { return run(tool, *choice); }; });
    return command;
  };
  add("add", "Make a key for a desktop", Add)
      ->add_option("NAME", choice->name, "Name of the desktop")
      ->required();
  add("list", "Show the desktops", List);
  add("remove", "Refuse a desktop from now on", Remove)
      ->add_option("ID", choice->device, "Number of the device")
      ->required();
}

}  // namespace syncline::admin
