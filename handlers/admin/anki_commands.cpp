// syncline-admin anki ...: nothing yet.
#include <CLI/CLI.hpp>

#include "handlers/admin/commands.h"

namespace syncline::admin {

void AddAnkiCommands(CLI::App&, Tool&) {}

}  // namespace syncline::admin
