#pragma once
// What every daemon does besides its work: memory, signals, options, log, waiting for the database and its
// schema, notifying systemd. The main.cpp of a daemon takes these steps in order; what happens in between
// differs: syncline-fcgi answers 503 while the database is down, the worker waits.
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

inline constexpr int kWrongSchemaExit = 78;  ///< EX_CONFIG; the units do not restart on it

class Daemon {
 public:
  /// Construct before any thread is started: blocks SIGTERM and SIGINT in all of them, ignores SIGPIPE, and
  /// returns large buffers to the system when they are freed. `name` is that of the database session that
  /// checks the schema.
  explicit Daemon(std::string name);

  /// Adds the settings to `app`, reads file, environment and command line, and starts the log. Returns the
  /// exit code if the program must end at once (see ParseOptions).
  std::optional<int> Configure(CLI::App& app, Config& config, std::span<const SettingGroup> services,
                               int argc, char** argv);

  /// kUnknown: the database could not be queried. That, and a schema that does not fit, is logged.
  enum class Schema { kFits, kWrong, kUnknown };
  Schema LookAtSchema(const Config& config);
  /// Checks once a second until the schema fits. Returns the exit code if the program must end instead: 0
  /// after a termination signal, kWrongSchemaExit.
  std::optional<int> WaitForSchema(const Config& config);

  /// Notify systemd. TellReady may be called while the database is down; the status then goes on saying so.
  void TellReady();
  void TellLeaving();
  /// True after a termination signal; false when `at_most` has passed.
  bool WaitForLeave(std::optional<std::chrono::seconds> at_most = std::nullopt);

 private:
  const std::string name_;
  sigset_t leave_;
  bool is_waiting_ = false;  // for the database, as logged and reported to systemd
};

}  // namespace syncline
