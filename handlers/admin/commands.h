#pragma once
// The commands of syncline-admin, one file per group. A group adds its subcommands to the app; the chosen one
// stores its work in Tool::command, and main.cpp runs it after parsing.
//
// Errors: Refusal with one sentence (exit code 1), UsageError (2). main.cpp reports Error and sql::Failure.
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/account/login/account_store.h"
#include "handlers/base/config.h"
#include "handlers/base/context.h"
#include "handlers/base/display.h"

namespace CLI {
class App;
}

namespace syncline::admin {

/// The reason why a command was refused, as one sentence without a full stop.
class Refusal : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// State shared by all commands.
class Tool {
 public:
  Config config;
  /// Set by the chosen subcommand's callback; returns the exit code.
  std::function<int()> command;

  /// A context without an account, for stores across accounts. Throws Refusal if this build cannot work with
  /// the schema.
  Context& context();
  /// A context for one account.
  Context& ContextOf(UserId user);
  /// Database settings, without a check of the schema: for commands that must work without one (migrate,
  /// doctor).
  sql::Settings settings() const { return config.DatabaseSettings("syncline-admin"); }
  /// The account with this name, case-insensitively; throws Refusal when there is none.
  account::Account Find(const std::string& name);

 private:
  std::unique_ptr<sql::Database> database_;
  std::unique_ptr<Redis> redis_;
  std::unique_ptr<Context> context_;
};

void AddMigrateCommand(CLI::App& app, Tool& tool);
void AddUserCommands(CLI::App& app, Tool& tool);
void AddDeviceCommands(CLI::App& app, Tool& tool);
void AddKeysCommands(CLI::App& app, Tool& tool);
void AddJobsCommands(CLI::App& app, Tool& tool);
void AddAnkiCommands(CLI::App& app, Tool& tool);
/// Part of AddAnkiCommands. `group`: anki.
void AddAnkiCheckCommand(CLI::App& group, Tool& tool);
void AddPlanCommands(CLI::App& app, Tool& tool);
void AddScheduleCommands(CLI::App& app, Tool& tool);
void AddVaultCommands(CLI::App& app, Tool& tool);
/// Part of AddVaultCommands. `parent`: vault.
void AddVaultDeviceCommands(CLI::App& parent, Tool& tool);
void AddDoctorCommand(CLI::App& app, Tool& tool);

/// Columns under their headings, padded to the widest cell; the last one is not padded.
void PrintTable(const std::vector<std::string>& headings, const std::vector<std::vector<std::string>>& rows);

}  // namespace syncline::admin
