#pragma once
// The slots of a process: threads that accept on one shared socket, each with its own request object and its
// own lazily opened connections to PostgreSQL and Redis. No state of a request outlives it; no slot waits for another. A
// connection goes to the first slot that is idle.
//
// Leaving: Stop lets no slot accept again, wakes those that wait, and returns when the requests in
// flight are finished. What waits in the backlog of the socket goes to the other processes, so the socket
// belongs to somebody who outlives us (systemd, or ./run). Left out on purpose: forking, pid files,
// restarting slots.
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fcgi/pipeline.h"

namespace syncline::front {

class AcceptLoop {
 public:
  /// `application_name` is that of the database sessions. Blocks SIGUSR1 in the calling thread and uses it to
  /// wake slots.
  AcceptLoop(Front& front, int listen_socket, int slots, std::string application_name);
  ~AcceptLoop();
  AcceptLoop(const AcceptLoop&) = delete;
  AcceptLoop& operator=(const AcceptLoop&) = delete;

  /// Returns when every slot has finished what it was at.
  void Stop();

 private:
  struct Slot {
    int turn = -1;  // epoll descriptor
    std::thread thread;
  };
  void Run(Slot& slot);
  /// A connection, or -1 when there is none this time.
  int Accept(int turn) const;

  Front& front_;
  const int listen_socket_;
  const std::string application_name_;
  std::vector<std::unique_ptr<Slot>> slots_;
};

}  // namespace syncline::front
