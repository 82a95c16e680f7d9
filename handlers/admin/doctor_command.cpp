// syncline-admin doctor: is this installation well, and if not, what to do. Written after everything else.
#include <CLI/CLI.hpp>

#include "handlers/admin/commands.h"

namespace syncline::admin {

void AddDoctorCommand(CLI::App&, Tool&) {}

}  // namespace syncline::admin
