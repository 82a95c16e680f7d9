#pragma once
// The commands of syncline-admin, one file a group. A group adds its subcommands to the app; the one that was
// chosen puts its work into Tool::command, and main.cpp runs it when everything has been parsed.
//
// Errors: Refusal with one sentence (exit code 1), UsageError (2). Error and sql::Failure are told by
// main.cpp.
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/account/account_store.h"
#include "handlers/base/config.h"
#include "handlers/base/context.h"
#include "handlers/base/display.h"

namespace CLI {
class App;
}

namespace syncline::admin {

/// Why a command could not do what was asked, as one sentence without a full stop.
class Refusal : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What commands work with.
class Tool {
 public:
  Config config;
  /// Set by the chosen subcommand's callback; returns the exit code.
  std::function<int()> command;

  /// A context of nobody, for stores of any account. Refuses a schema that this build cannot work on.
  Context& context();
  /// A context in the name of one account.
  Context& ContextOf(UserId user);
  /// Of the tool, without asking for the schema: for what comes before it (migrate, doctor).
  sql::Settings settings() const { return config.DatabaseSettings("syncline-admin"); }
  /// The account of this name, in any case; Refusal when there is none.
  account::Account Find(const std::string& name);

 private:
  std::unique_ptr<sql::Database> database_;
  std::unique_ptr<Redis> redis_;
  std::unique_ptr<Context> context_;
};

void AddMigrateCommand(CLI::App& app, Tool& tool);
void AddUserCommands(CLI::App& app, Tool& tool);
void AddDeviceCommands(CLI::App& app, Tool& tool);
void AddJobsCommands(CLI::App& app, Tool& tool);
void AddAnkiCommands(CLI::App& app, Tool& tool);
void AddDoctorCommand(CLI::App& app, Tool& tool);

/// Columns under their headings, as wide as needed; the last one is not padded.
void PrintTable(const std::vector<std::string>& headings, const std::vector<std::vector<std::string>>& rows);

}  // namespace syncline::admin
