// syncline-fcgi: one process of one pool. Reads the configuration, finds its socket, starts the slots, and
// waits for a termination signal. Exit codes: 0 terminated by a signal, 64 wrong usage, 71 no socket.
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <stdexcept>
#include <string>

#include "fcgi/accept_loop.h"
#include "fcgi/pipeline.h"
#include "fcgi/routes.h"
#include "handlers/base/config.h"
#include "handlers/base/daemon.h"
#include "handlers/base/errors.h"
#include "handlers/base/log.h"
#include "handlers/base/seal.h"
#include "handlers/services.h"

namespace {

using namespace syncline;

constexpr int kNoSocketExit = 71;  // EX_OSERR
constexpr int kNoSecretExit = 78;  // EX_CONFIG

// Enough for every client of a large school to arrive while all slots are busy.
constexpr int kBacklog = 1024;

/// Creates a socket of our own, for stand-alone use and tests. Only our user and group may connect.
int OpenSocket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path))
    throw std::runtime_error("the socket path is too long: " + path);
  path.copy(address.sun_path, path.size());
  struct stat found {};
  // Removes only a socket, which an earlier process left behind.
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

/// The inherited socket: systemd's, or descriptor 0 as in plain FastCGI.
int InheritedSocket() {
  if (sd_listen_fds(/*unset_environment=*/1) > 0) return SD_LISTEN_FDS_START;
  if (sd_is_socket(STDIN_FILENO, AF_UNSPEC, SOCK_STREAM, /*listening=*/1) > 0) return STDIN_FILENO;
  throw std::runtime_error("no socket: start with --socket PATH, or with a listening socket as descriptor 0");
}

/// Serves until a termination signal arrives.
void Run(Daemon& daemon, const Config& config, const std::string& pool, int slots, int listen_socket) {
  front::Front front{.config = config, .router = front::Router(front::AllRoutes()), .pool = pool};
  // Before the slots accept: requests that wait at the socket while a pool restarts would get a 503.
  front.schema_checked = daemon.LookAtSchema(config);
  // The pid shows in pg_stat_activity which process a session belongs to; over a unix socket nothing else
  // does.
  front::AcceptLoop loop(front, listen_socket, slots,
                         "syncline-fcgi " + pool + " " + std::to_string(getpid()));
  daemon.TellReady();
  LogLine(LogLevel::kInfo)
      .Add("event", "started")
      .Add("pool", std::string_view(pool))
      .Add("slots", slots)
      .Write();

  // Until the schema fits, the slots answer 503.
  if (front.schema_checked || daemon.WaitForSchema(config)) {
    front.schema_checked = true;
    daemon.WaitForLeave();
  }
  daemon.TellLeaving();
  loop.Stop();
  LogLine(LogLevel::kInfo).Add("event", "left").Add("pool", std::string_view(pool)).Write();
}

}  // namespace

int main(int argc, char** argv) {
  Daemon daemon("syncline-fcgi");
  Config config;
  std::string pool = "api", socket_path;
  int slots = 8;
  CLI::App app("One process of the Syncline server, behind a web server that speaks FastCGI.");
  app.add_option("--pool", pool, "Name of the pool, for the log and the database sessions")
      ->capture_default_str();
  app.add_option("--slots", slots, "Requests served at once")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--socket", socket_path, "Create and use this unix socket instead of an inherited one");
  bool print_routes = false;
  app.add_flag("--print-routes", print_routes, "Print the table of routes and exit");
  if (const auto exit_code = daemon.Configure(app, config, AllSettings(), argc, argv)) return *exit_code;
  if (print_routes) {
    std::cout << front::Router(front::AllRoutes()).Print(config);
    return 0;
  }
  int listen_socket = -1;
  try {
    // Checked at the start, not at the first signature: without the secret nobody can log in.
    Secret::Load(config.secret_file);
  } catch (const Error& e) {
    std::cerr << "syncline-fcgi: " << e.what() << "\n";
    return kNoSecretExit;
  }
  try {
    listen_socket = socket_path.empty() ? InheritedSocket() : OpenSocket(socket_path);
  } catch (const std::runtime_error& e) {
    std::cerr << "syncline-fcgi: " << e.what() << "\n";
    return kNoSocketExit;
  }
  Run(daemon, config, pool, slots, listen_socket);
  return 0;
}
