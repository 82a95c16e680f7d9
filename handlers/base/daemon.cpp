#include "handlers/base/daemon.h"

#include <errno.h>
#include <pthread.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <utility>

#include "handlers/base/freed_memory.h"
#include "handlers/base/log.h"
#include "sql/errors.h"
#include "sql/migrate.h"

namespace syncline {
namespace {

constexpr std::chrono::seconds kLookAgain{1};

}  // namespace

Daemon::Daemon(std::string name) : name_(std::move(name)) {
  ReturnFreedMemory();
  signal(SIGPIPE, SIG_IGN);
  // Threads inherit the mask; the main thread receives the signals with sigtimedwait, so no code runs in a
  // handler.
  sigemptyset(&leave_);
  sigaddset(&leave_, SIGTERM);
  sigaddset(&leave_, SIGINT);
  pthread_sigmask(SIG_BLOCK, &leave_, nullptr);
}

std::optional<int> Daemon::Configure(CLI::App& app, Config& config, std::span<const SettingGroup> services,
                                     int argc, char** argv) {
  AddConfigOptions(app, config, services);
  if (const auto exit_code = ParseOptions(app, config, services, argc, argv)) return exit_code;
  StartLog(config.log_level);
  return std::nullopt;
}

bool Daemon::LookAtSchema(const Config& config) {
  const char* event = "waiting_for_schema";
  std::string obstacle;
  try {
    obstacle = sql::SchemaProblem(config.DatabaseSettings(name_ + " schema check")).value_or("");
  } catch (const sql::Failure& e) {
    event = "waiting_for_database";
    obstacle = e.what();
    while (!obstacle.empty() && obstacle.back() == '\n') obstacle.pop_back();
  }
  if (obstacle != obstacle_) {
    obstacle_ = obstacle;
    if (obstacle.empty()) {
      LogLine(LogLevel::kInfo).Add("event", "database_is_there").Write();
    } else {
      LogLine(LogLevel::kWarn).Add("event", event).Add("why", std::string_view(obstacle)).Write();
    }
    TellStatus();
  }
  return obstacle.empty();
}

bool Daemon::WaitForSchema(const Config& config) {
  while (!LookAtSchema(config)) {
    if (WaitForLeave(kLookAgain)) return false;
  }
  return true;
}

void Daemon::TellReady() {
  sd_notify(0, "READY=1");
  TellStatus();
}

void Daemon::TellStatus() const {
  std::string status = obstacle_.empty() ? "STATUS=working" : "STATUS=waiting: " + obstacle_;
  // A line break would end the status and begin a variable.
  std::replace(status.begin(), status.end(), '\n', ' ');
  sd_notify(0, status.c_str());
}

void Daemon::TellLeaving() {
  sd_notify(0, "STOPPING=1");
}

bool Daemon::WaitForLeave(std::optional<std::chrono::seconds> at_most) {
  for (;;) {
    const timespec timeout{at_most.value_or(std::chrono::seconds(0)).count(), 0};
    const int got = at_most ? sigtimedwait(&leave_, nullptr, &timeout) : sigwaitinfo(&leave_, nullptr);
    if (got > 0) return true;
    if (errno == EAGAIN) return false;
  }
}

}  // namespace syncline
