// syncline-admin jobs ...: nothing yet.
#include <CLI/CLI.hpp>

#include "handlers/admin/commands.h"

namespace syncline::admin {

void AddJobsCommands(CLI::App&, Tool&) {}

}  // namespace syncline::admin
