#pragma once
// The slots of a process: threads that accept on one shared socket, each with its own request object and its
// own lazily opened connections to PostgreSQL and Redis. No request state outlives its request; slots wait
// for each other only for large requests (large_turn.h). A connection goes to the first idle slot, unless its account has
// too many requests at once (account_turns.h).
//
// Shutdown: Stop lets no slot accept again, wakes waiting slots, and returns when in-flight requests are
// finished. Connections in the socket's backlog go to the other processes, so the socket must belong to a
// process that outlives this one (systemd or ./run). Left out on purpose: forking, pid files, restarting
// slots.
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fcgi/pipeline.h"

namespace syncline::front {

class HeadChannel;

class AcceptLoop {
 public:
  /// `application_name` is used for the database sessions. Blocks SIGUSR1 in the calling thread and uses it
  /// to wake slots.
  AcceptLoop(Front& front, int listen_socket, int slots, std::string application_name);
  ~AcceptLoop();
  AcceptLoop(const AcceptLoop&) = delete;
  AcceptLoop& operator=(const AcceptLoop&) = delete;

  /// Returns when every slot has finished its request. Idempotent.
  void Stop();

 private:
  struct Slot {
    int turn = -1;  // epoll descriptor
    std::thread thread;
  };
  void Run(Slot& slot);
  /// False: it must be parked.
  bool ServeVisit(Visit& visit, HeadChannel& channel, sql::Database& database, Redis& redis);
  /// A connection, or -1 if there is none yet.
  int Accept(int turn) const;

  Front& front_;
  const int listen_socket_;
  const std::string application_name_;
  std::vector<std::unique_ptr<Slot>> slots_;
};

}  // namespace syncline::front
