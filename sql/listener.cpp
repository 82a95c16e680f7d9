#include "sql/listener.h"

#include <libpq-fe.h>
#include <poll.h>

namespace syncline::sql {

Listener::Listener(Settings settings, std::string channel)
    : settings_(std::move(settings)), channel_(std::move(channel)), conn_(nullptr, PQfinish) {}

bool Listener::Connect() {
  if (conn_ != nullptr && PQstatus(conn_.get()) == CONNECTION_OK) return true;
  const std::string timeout = std::to_string(settings_.connect_timeout.count());
  const std::string name = settings_.application_name + "-listen";
  const char* keys[] = {"dbname", "application_name", "connect_timeout", nullptr};
  const char* values[] = {settings_.url.c_str(), name.c_str(), timeout.c_str(), nullptr};
  conn_.reset(PQconnectdbParams(keys, values, 1));
  if (PQstatus(conn_.get()) != CONNECTION_OK) return false;
  // "terminating connection" is no line of our log.
  PQsetNoticeProcessor(
      conn_.get(), [](void*, const char*) {}, nullptr);
  PQclear(PQexec(conn_.get(), ("LISTEN " + channel_).c_str()));
  return PQstatus(conn_.get()) == CONNECTION_OK;
}

void Listener::Wait(std::chrono::milliseconds timeout, int wake_fd) {
  const bool connected = Connect();
  pollfd fds[2] = {{wake_fd, POLLIN, 0}, {connected ? PQsocket(conn_.get()) : -1, POLLIN, 0}};
  poll(fds, 2, static_cast<int>(timeout.count()));
  if (!connected) return;
  PQconsumeInput(conn_.get());
  while (PGnotify* notification = PQnotifies(conn_.get())) PQfreemem(notification);
}

}  // namespace syncline::sql
