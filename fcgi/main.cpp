// syncline-fcgi: one process of one pool. Reads the configuration, finds its socket, starts the slots, checks
// the schema, and waits for the signal to leave. Exit codes: 0 left as asked, 64 wrong usage, 71 no socket,
// 78 the database has a schema this program cannot work on.
#include <errno.h>
#include <grp.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>

#include "fcgi/accept_loop.h"
#include "fcgi/pipeline.h"
#include "fcgi/routes.h"
#include "handlers/base/config.h"
#include "handlers/base/log.h"
#include "sql/errors.h"
#include "sql/migrate.h"

namespace {

using namespace syncline;

constexpr int kNoSocketExit = 71;     // EX_OSERR
constexpr int kWrongSchemaExit = 78;  // EX_CONFIG; systemd is told not to restart on it

// Deep enough for every client of a large school to arrive while all slots are busy.
constexpr int kBacklog = 1024;

/// A socket of our own, for standing alone and for tests. Everybody in our group may connect, nobody else.
int OpenSocket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path))
    throw std::runtime_error("the path of the socket is too long: " + path);
  path.copy(address.sun_path, path.size());
  struct stat found {};
  // Only what an earlier process of ours left behind is taken away.
  if (lstat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode)) unlink(path.c_str());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const mode_t before = umask(0117);
  const bool ok = fd >= 0 && bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
                  listen(fd, kBacklog) == 0;
  const int error = errno;
  umask(before);
  if (!ok) throw std::runtime_error("cannot listen on " + path + ": " + strerror(error));
  return fd;
}

/// The socket we were given: systemd's, or descriptor 0 as FastCGI has it from of old.
int InheritedSocket() {
  if (sd_listen_fds(/*unset_environment=*/1) > 0) return SD_LISTEN_FDS_START;
  if (sd_is_socket(STDIN_FILENO, AF_UNSPEC, SOCK_STREAM, /*listening=*/1) > 0) return STDIN_FILENO;
  throw std::runtime_error("no socket: start with --socket PATH, or with a listening socket as descriptor 0");
}

/// Blocked in every thread, because threads inherit this: the main thread takes them by sigtimedwait.
sigset_t BlockLeaveSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return set;
}

/// True when it is time to leave.
bool WaitForSignal(const sigset_t& set, std::optional<std::chrono::seconds> at_most) {
  for (;;) {
    const timespec timeout{at_most.value_or(std::chrono::seconds(0)).count(), 0};
    const int got = at_most ? sigtimedwait(&set, nullptr, &timeout) : sigwaitinfo(&set, nullptr);
    if (got > 0) return true;
    if (errno == EAGAIN) return false;
  }
}

enum class Schema { kFits, kWrong, kUnknown };

/// Unknown: the database is away, which is logged when `told` does not say that it was.
Schema LookAtSchema(const Config& config, bool& told) {
  try {
    const auto problem = sql::SchemaProblem(config.DatabaseSettings("syncline-fcgi schema check"));
    if (!problem) return Schema::kFits;
    std::cerr << "syncline-fcgi: " << *problem << "\n";
    return Schema::kWrong;
  } catch (const sql::Failure& e) {
    if (!std::exchange(told, true)) {
      LogLine(LogLevel::kWarn).Add("event", "waiting_for_database").Add("why", e.what()).Write();
    }
    return Schema::kUnknown;
  }
}

/// Serves until a signal comes. Returns the exit code.
int Run(const Config& config, const std::string& pool, int slots, int listen_socket, const sigset_t& leave) {
  front::Front front{config, front::Router(front::AllRoutes())};
  // Before the slots take the first request: what waits at the socket while a pool restarts would be answered
  // 503.
  bool told = false;
  Schema schema = LookAtSchema(config, told);
  if (schema == Schema::kWrong) return kWrongSchemaExit;
  front.schema_checked = schema == Schema::kFits;
  // With the pid, pg_stat_activity tells which process a session belongs to: a unix socket does not.
  front::AcceptLoop loop(front, listen_socket, slots,
                         "syncline-fcgi " + pool + " " + std::to_string(getpid()));
  sd_notify(0, "READY=1");
  LogLine(LogLevel::kInfo)
      .Add("event", "started")
      .Add("pool", std::string_view(pool))
      .Add("slots", slots)
      .Write();

  // A database that starts after us is waited for; until then the slots answer 503.
  while (schema == Schema::kUnknown && !WaitForSignal(leave, std::chrono::seconds(1))) {
    schema = LookAtSchema(config, told);
    front.schema_checked = schema == Schema::kFits;
  }
  if (schema == Schema::kFits) WaitForSignal(leave, std::nullopt);
  sd_notify(0, "STOPPING=1");
  loop.Stop();
  LogLine(LogLevel::kInfo).Add("event", "left").Add("pool", std::string_view(pool)).Write();
  return schema == Schema::kWrong ? kWrongSchemaExit : 0;
}

}  // namespace

int main(int argc, char** argv) {
  // Large buffers go back to the system when they are freed; glibc would raise the bound and keep them.
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
  const sigset_t leave = BlockLeaveSignals();
  Config config;
  std::string pool = "api", socket_path;
  int slots = 8;
  CLI::App app("One process of the Syncline server, behind a web server that speaks FastCGI.");
  app.add_option("--pool", pool, "Name of the pool, for the log and the database sessions")
      ->capture_default_str();
  app.add_option("--slots", slots, "Requests served at once")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--socket", socket_path, "Make and listen on this unix socket instead of an inherited one");
  bool print_routes = false;
  app.add_flag("--print-routes", print_routes, "Print the table of routes and exit");
  AddConfigOptions(app, config);
  if (const auto exit_code = ParseOptions(app, config, argc, argv)) return *exit_code;
  if (print_routes) {
    std::cout << front::Router(front::AllRoutes()).Print(config);
    return 0;
  }
  StartLog(config.log_level);
  int listen_socket = -1;
  try {
    listen_socket = socket_path.empty() ? InheritedSocket() : OpenSocket(socket_path);
  } catch (const std::runtime_error& e) {
    std::cerr << "syncline-fcgi: " << e.what() << "\n";
    return kNoSocketExit;
  }
  return Run(config, pool, slots, listen_socket, leave);
}
