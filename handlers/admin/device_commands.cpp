// syncline-admin device ...: the keys of an account. All processes refuse a revoked key within half a second
// (known_keys.h).
#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>

#include "handlers/account/login/device_store.h"
#include "handlers/admin/commands.h"

namespace syncline::admin {
namespace {

using account::Device;
using account::DeviceStore;

struct Choice {
  std::string user;
  std::string device;
  bool with_revoked = false;
};

int List(Tool& tool, const Choice& choice) {
  const account::Account account = tool.Find(choice.user);
  std::vector<std::vector<std::string>> rows;
  tool.ContextOf(account.id).Read<DeviceStore>([&](DeviceStore& devices) {
    rows.clear();
    devices.List([&](const Device& device) {
      if (device.revoked_at && !choice.with_revoked) return;
      rows.push_back({std::to_string(static_cast<std::int64_t>(device.id)), device.kind,
                      TimeText(device.created_at), TimeText(device.last_seen_at),
                      device.revoked_at ? "revoked " + TimeText(device.revoked_at) : "live", device.name});
    });
  });
  if (rows.empty()) {
    std::printf("%s has no devices\n", account.name.c_str());
  } else {
    PrintTable({"ID", "KIND", "CREATED", "LAST SEEN", "STATE", "NAME"}, rows);
  }
  return 0;
}

int Revoke(Tool& tool, const Choice& choice) {
  const account::Account account = tool.Find(choice.user);
  Context& context = tool.ContextOf(account.id);
  if (choice.device == "all") {
    const auto revoked = context.Write<DeviceStore>([](DeviceStore& devices) { return devices.RevokeAll(); });
    std::printf("revoked %s of %s\n", CountText(revoked, "device", "devices").c_str(), account.name.c_str());
    return 0;
  }
  std::int64_t id = 0;
  const char* end = choice.device.data() + choice.device.size();
  const auto parsed = std::from_chars(choice.device.data(), end, id);
  if (parsed.ec != std::errc() || parsed.ptr != end) {
    throw UsageError("a device is a number from 'device list', or 'all', not " + choice.device);
  }
  if (!context.Write<DeviceStore>([&](DeviceStore& devices) { return devices.Revoke(DeviceId{id}); })) {
    throw Refusal(account.name + " has no live device " + choice.device);
  }
  std::printf("revoked device %s of %s\n", choice.device.c_str(), account.name.c_str());
  return 0;
}

}  // namespace

void AddDeviceCommands(CLI::App& app, Tool& tool) {
  CLI::App* group = app.add_subcommand("device", "Devices of an account: every key that was issued");
  group->require_subcommand(1);
  const auto choice = std::make_shared<Choice>();
  const auto add = [&](const char* name, const char* help, int (*run)(Tool&, const Choice&)) {
    CLI::App* command = group->add_subcommand(name, help);
    command->add_option("USER", choice->user, "Name of the account")->required();
    command->callback(
        [&tool, choice, run] { tool.command = [&tool, choice, run] { return run(tool, *choice); }; });
    return command;
  };
  add("list", "Show the devices", List)->add_flag("--all", choice->with_revoked, "Include revoked devices");
  add("revoke", "Revoke a device", Revoke)
      ->add_option("ID", choice->device, "Number of the device, or 'all'")
      ->required();
}

}  // namespace syncline::admin
