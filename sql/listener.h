#pragma once
// LISTEN on a connection of its own. A notification is a hint: whoever waits looks at the tables afterwards,
// also when nothing came.
#include <chrono>
#include <memory>
#include <string>

#include "sql/connection.h"

namespace syncline::sql {

class Listener {
 public:
  /// `channel` must be a plain lower-case identifier of ours. Does not connect yet.
  Listener(Settings settings, std::string channel);
  /// Waits until a notification has come, `wake_fd` is readable (-1: none) or `timeout` has passed. A lost
  /// connection is opened again by the next call; that one returns after the timeout, as if nothing had come.
  void Wait(std::chrono::milliseconds timeout, int wake_fd = -1);

 private:
  bool Connect();
  Settings settings_;
  std::string channel_;
  std::unique_ptr<pg_conn, void (*)(pg_conn*)> conn_;
};

}  // namespace syncline::sql
