#include "handlers/base/daemon.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <systemd/sd-daemon.h>

#include <utility>

#include "handlers/base/log.h"
#include "sql/errors.h"
#include "sql/migrate.h"

namespace syncline {
namespace {

// By default glibc raises the threshold when large buffers are freed, and then keeps their memory.
constexpr int kMmapThreshold = 256 << 10;
constexpr std::chrono::seconds kLookAgain{1};
constexpr const char* kWaiting = "STATUS=waiting for the database";
constexpr const char* kWorking = "STATUS=working";

}  // namespace

Daemon::Daemon(std::string name) : name_(std::move(name)) {
  mallopt(M_MMAP_THRESHOLD, kMmapThreshold);
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

Daemon::Schema Daemon::LookAtSchema(const Config& config) {
  try {
    const auto problem = sql::SchemaProblem(config.DatabaseSettings(name_ + " schema check"));
    if (problem) {
      LogLine(LogLevel::kError).Add("event", "wrong_schema").Add("why", std::string_view(*problem)).Write();
      return Schema::kWrong;
    }
    if (std::exchange(is_waiting_, false)) {
      LogLine(LogLevel::kInfo).Add("event", "database_is_there").Write();
      sd_notify(0, kWorking);
    }
    return Schema::kFits;
  } catch (const sql::Failure& e) {
    if (!std::exchange(is_waiting_, true)) {
      LogLine(LogLevel::kWarn).Add("event", "waiting_for_database").Add("why", e.what()).Write();
      sd_notify(0, kWaiting);
    }
    return Schema::kUnknown;
  }
}

std::optional<int> Daemon::WaitForSchema(const Config& config) {
  for (;;) {
    switch (LookAtSchema(config)) {
      case Schema::kFits:
        return std::nullopt;
      case Schema::kWrong:
        return kWrongSchemaExit;
      case Schema::kUnknown:
        break;
    }
    if (WaitForLeave(kLookAgain)) return 0;
  }
}

void Daemon::TellReady() {
  sd_notify(0, "READY=1");
  sd_notify(0, is_waiting_ ? kWaiting : kWorking);
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
