// syncline-admin keys ...: the keys that sign tokens.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "handlers/account/tokens/key_ring.h"
#include "handlers/admin/commands.h"

namespace syncline::admin {
namespace {

int Rotate(Tool& tool) {
  const std::string kid = account::RotateTokenKeys(tool.context());
  std::printf("%s signs in %lld seconds; what the keys before it have signed stays valid until it expires\n",
              kid.c_str(), static_cast<long long>(account::kSignsAfter.count()));
  return 0;
}

}  // namespace

void AddKeysCommands(CLI::App& app, Tool& tool) {
  CLI::App* group = app.add_subcommand("keys", "Keys that sign tokens");
  group->require_subcommand(1);
  group->add_subcommand("rotate", "Sign with a new key from now on; nobody has to log in again")
      ->callback([&tool] { tool.command = [&tool] { return Rotate(tool); }; });
}

}  // namespace syncline::admin
