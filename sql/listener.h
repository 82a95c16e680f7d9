#pragma once
// LISTEN on a dedicated connection. A notification is only a hint: after every wait the caller checks the
// tables, even if none arrived.
#include <chrono>
#include <memory>
#include <string>

#include "sql/connection.h"

namespace syncline::sql {

class PlainConnection;

class Listener {
 public:
  /// `channel` must be a plain lower-case identifier; it is not quoted. Does not connect yet.
  Listener(Settings settings, std::string channel);
  ~Listener();
  /// Waits until a notification arrives, `wake_fd` is readable (-1: none) or `timeout` expires. A lost
  /// connection is detected by one of the next calls, which returns as if a notification had arrived; the
  /// call after it reconnects.
  void Wait(std::chrono::milliseconds timeout, int wake_fd = -1);

 private:
  void Connect();
  Settings settings_;
  std::string channel_;
  std::unique_ptr<PlainConnection> connection_;  // null: lost, or not opened yet
};

}  // namespace syncline::sql
