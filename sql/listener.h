#pragma once
// LISTEN on a connection of its own. A notification is a hint: whoever waits looks at the tables afterwards,
// also when nothing came.
#include <chrono>
#include <memory>
#include <string>

#include "sql/connection.h"

namespace syncline::sql {

class PlainConnection;

class Listener {
 public:
  /// `channel` must be a plain lower-case identifier of ours. Does not connect yet.
  Listener(Settings settings, std::string channel);
  ~Listener();
  /// Waits until a notification has come, `wake_fd` is readable (-1: none) or `timeout` has passed. That
  /// the connection was lost is found out by one of the next calls, which return as if something had come, and
  /// it is opened again by the one after that.
  void Wait(std::chrono::milliseconds timeout, int wake_fd = -1);

 private:
  void Connect();
  Settings settings_;
  std::string channel_;
  std::unique_ptr<PlainConnection> connection_;  // null: lost, or not opened yet
};

}  // namespace syncline::sql
