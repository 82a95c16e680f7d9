// syncline-admin migrate: migrates the schema to the version this build needs. The only program that changes
// it.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "handlers/admin/commands.h"
#include "sql/migrate.h"

namespace syncline::admin {
namespace {

int Migrate(Tool& tool) {
  const std::vector<std::string> applied = sql::Migrate(tool.settings());
  for (const std::string& name : applied) std::printf("applied %s\n", name.c_str());
  if (applied.empty()) std::puts("the schema is up to date");
  return 0;
}

}  // namespace

void AddMigrateCommand(CLI::App& app, Tool& tool) {
  app.add_subcommand("migrate", "Bring the database's schema up to date")->callback([&tool] {
    tool.command = [&tool] { return Migrate(tool); };
  });
}

}  // namespace syncline::admin
