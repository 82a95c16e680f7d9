#pragma once
// What every daemon does besides its work: memory, signals, options, log, waiting for the database and its
// schema, notifying systemd. The main.cpp of a daemon takes these steps in order; what happens in between
// differs: syncline-fcgi answers 503 while it waits, the worker does nothing.
//
// A database that is away and a schema that does not fit are both waited for, however long: whatever repairs
// them (PostgreSQL starts, syncline-admin migrate runs, a backup is restored), the daemon goes on by itself.
// A daemon that exited instead would have to be started again by a person.
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

  /// False: the database cannot be queried, or its schema does not fit. Why is logged once, and is the status
  /// that systemd shows.
  bool LookAtSchema(const Config& config);
  /// Looks once a second until the schema fits. False after a termination signal.
  bool WaitForSchema(const Config& config);

  /// Notify systemd. TellReady may be called while LookAtSchema is false; the status then goes on saying why.
  void TellReady();
  void TellLeaving();
  /// True after a termination signal; false when `at_most` has passed.
  bool WaitForLeave(std::optional<std::chrono::seconds> at_most = std::nullopt);

 private:
  const std::string name_;
  sigset_t leave_;
  std::string obstacle_;  // why the daemon waits, as logged and reported to systemd; empty: it works

  void TellStatus() const;
};

}  // namespace syncline
