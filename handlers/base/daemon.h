#pragma once
// What every daemon does around its work: memory, signals, options, log, the wait for the database and its
// schema, and what systemd is told. The main.cpp of a daemon takes these steps in order; what it does between
// them is its own: syncline-fcgi serves (503) while the database is away, the worker waits.
//
// Left out on purpose: forking, pid files, reloading the configuration.
#include <signal.h>

#include <chrono>
#include <optional>
#include <span>
#include <string>

#include "handlers/base/config.h"
#include "handlers/base/setting.h"

namespace CLI {
class App;
}

namespace syncline {

inline constexpr int kWrongSchemaExit = 78;  ///< EX_CONFIG; systemd is told not to restart on it

class Daemon {
 public:
  /// Before any thread is started: blocks SIGTERM and SIGINT in all of them, ignores SIGPIPE, and has large
  /// buffers go back to the system when they are freed. `name` is that of the database session which looks
  /// at the schema.
  explicit Daemon(std::string name);

  /// Adds the settings to `app`, reads file, environment and command line, and starts the log. Returns the
  /// exit code when the program is to end at once (see ParseOptions).
  std::optional<int> Configure(CLI::App& app, Config& config, std::span<const SettingGroup> services,
                               int argc, char** argv);

  /// kUnknown: the database is away. That, and a schema that does not fit, is logged.
  enum class Schema { kFits, kWrong, kUnknown };
  Schema LookAtSchema(const Config& config);
  /// Looks once a second until the schema fits. Returns the exit code when the program is to end instead: 0
  /// when it was told to leave, kWrongSchemaExit.
  std::optional<int> WaitForSchema(const Config& config);

  /// Tells systemd. Ready may be told while the database is away; then the status goes on saying so.
  void TellReady();
  void TellLeaving();
  /// True when it is time to leave; false when `at_most` has passed.
  bool WaitForLeave(std::optional<std::chrono::seconds> at_most = std::nullopt);

 private:
  const std::string name_;
  sigset_t leave_;
  bool is_waiting_ = false;  // for the database, as the log and systemd were told
};

}  // namespace syncline
