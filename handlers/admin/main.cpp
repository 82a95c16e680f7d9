// syncline-admin: migrations, accounts, devices, jobs, history, and checks. Works directly on the database,
// so changes take effect without a restart. Exit codes: 0 done, 1 not done (one sentence says why), 2 usage
// error.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>

#include "handlers/admin/commands.h"
#include "handlers/base/config.h"
#include "handlers/base/errors.h"
#include "handlers/base/freed_memory.h"
#include "handlers/base/log.h"
#include "handlers/services.h"
#include "sql/errors.h"

namespace {

using namespace syncline;

constexpr int kNotDone = 1;
constexpr int kWrongUsage = 2;

int Fail(const std::string& sentence) {
  // libpq ends its messages with a line feed, and they may have several lines.
  std::string line = sentence.substr(0, sentence.find_last_not_of(" \n") + 1);
  for (char& c : line) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  std::cerr << "syncline-admin: " << line << "\n";
  return kNotDone;
}

int Run(const admin::Tool& tool) {
  try {
    const int code = tool.command();
    // The output may be the only copy of the result, so losing it is an error.
    if (std::fflush(stdout) != 0 || !std::cout.flush()) return Fail("the output could not be written");
    return code;
  } catch (const admin::UsageError& e) {
    Fail(e.what());
    return kWrongUsage;
  } catch (const admin::Refusal& e) {
    return Fail(e.what());
  } catch (const sql::Unavailable& e) {
    return Fail(std::string("the database cannot be reached: ") + e.what());
  } catch (const Error& e) {
    if (e.code() == "database_unavailable")
      return Fail(std::string("the database cannot be reached: ") + e.what());
    // The user of this program may see the private text.
    return Fail(e.what() == e.code() ? e.code() : e.code() + ": " + e.what());
  } catch (const std::exception& e) {
    return Fail(e.what());
  }
}

// Opens /dev/null for each closed standard descriptor. Otherwise the connection to the database could get the
// number of standard output.
void OpenStandardDescriptors() {
  for (int fd = open("/dev/null", O_RDWR); fd >= 0; fd = open("/dev/null", O_RDWR)) {
    if (fd > STDERR_FILENO) {
      close(fd);
      return;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  ReturnFreedMemory();
  OpenStandardDescriptors();
  admin::Tool tool;
  CLI::App app{"Administers a Syncline installation."};
  const std::vector<SettingGroup> settings = AllSettings();
  AddConfigOptions(app, tool.config, settings);
  admin::AddMigrateCommand(app, tool);
  admin::AddUserCommands(app, tool);
  admin::AddDeviceCommands(app, tool);
  admin::AddAnkiCommands(app, tool);
  admin::AddKeysCommands(app, tool);
  admin::AddJobsCommands(app, tool);
  admin::AddPlanCommands(app, tool);
  admin::AddScheduleCommands(app, tool);
  admin::AddVaultCommands(app, tool);
  admin::AddDoctorCommand(app, tool);
  // Settings may also follow the command.
  for (CLI::App* group : app.get_subcommands({})) {
    group->fallthrough();
    for (CLI::App* command : group->get_subcommands({})) command->fallthrough();
  }
  if (const auto code = ParseOptions(app, tool.config, settings, argc, argv))
    return *code == 0 ? 0 : kWrongUsage;
  // To standard error: scripts read the output of commands.
  StartLog(tool.config.log_level);
  if (!tool.command) {
    std::cerr << app.help();
    return kWrongUsage;
  }
  return Run(tool);
}
