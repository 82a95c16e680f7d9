#pragma once
// What every daemon does besides its work: memory, signals, options, log, waiting for the database and its
// schema, notifying systemd. The main.cpp of a daemon takes these steps in order; what happens in between
// differs: syncline-fcgi answers 503 while it waits, the worker does nothing.
//
// The daemon waits without a time limit for an unreachable database and for an older schema. Once that is
// repaired (PostgreSQL starts, syncline-admin migrate runs, a backup is restored), it continues by itself. If
// it exited instead, a person would have to start it again.
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

  /// False: the database cannot be queried, or its schema is too old. The reason is logged once, and shown as
  /// the unit's status.
  bool LookAtSchema(const Config& config);
  /// Calls LookAtSchema once a second until it returns true. False after a termination signal.
  bool WaitForSchema(const Config& config);

  /// Notify systemd. TellReady may be called while LookAtSchema is false; the status then still shows the
  /// reason.
  void TellReady();
  void TellLeaving();
  /// Waits for a termination signal. True when it arrives; false after `at_most`.
  bool WaitForLeave(std::optional<std::chrono::seconds> at_most = std::nullopt);

 private:
  const std::string name_;
  sigset_t leave_;
  std::string obstacle_;  // why the daemon waits, as logged and reported to systemd; empty: it works

  void TellStatus() const;
};

}  // namespace syncline
