#include "sql/listener.h"

#include <poll.h>

#include "sql/plain_connection.h"

namespace syncline::sql {

Listener::Listener(Settings settings, std::string channel)
    : settings_(std::move(settings)), channel_(std::move(channel)) {}

Listener::~Listener() = default;

void Listener::Connect() {
  if (connection_ != nullptr) return;
  try {
    auto opened = std::make_unique<PlainConnection>(settings_, settings_.application_name + "-listen");
    // No receiver: the payload is not needed, and the receiver classes differ between libpqxx versions.
    Translated([&] { pqxx::nontransaction(**opened).exec("LISTEN " + channel_); });
    connection_ = std::move(opened);
  } catch (const Failure&) {
    // The caller checks the tables after its timeout.
  }
}

void Listener::Wait(std::chrono::milliseconds timeout, int wake_fd) {
  Connect();
  pollfd fds[2] = {{wake_fd, POLLIN, 0}, {connection_ != nullptr ? (*connection_)->sock() : -1, POLLIN, 0}};
  poll(fds, 2, static_cast<int>(timeout.count()));
  if (connection_ == nullptr) return;
  try {
    (*connection_)->get_notifs();
    if (!(*connection_)->is_open()) connection_.reset();
  } catch (const std::exception&) {
    connection_.reset();
  }
}

}  // namespace syncline::sql
