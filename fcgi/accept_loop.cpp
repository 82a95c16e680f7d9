#include "fcgi/accept_loop.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "fcgi/fcgi_io.h"
#include "fcgi/gate.h"
#include "handlers/base/log.h"

namespace syncline::front {
namespace {

// A web server that neither sends nor takes a byte for so long is not waited for. nginx' own limits are 60 s.
constexpr timeval kPeerTimeout{90, 0};

// A slot that is killed after it was told of a connection and before it accepted leaves one that nobody was
// told of.
constexpr int kLookAgainMs = 1000;

// The pause of a slot that can do nothing but wait for descriptors to be closed.
constexpr std::chrono::milliseconds kDescriptorPause{100};

// What a slot waits on for the listening socket. The kernel tells an exclusive waiter of a connection, and of
// those that wait the one that was added first: the first slots do what there is to do, and their connections
// to PostgreSQL stay warm, where accept would go round all slots. (32 slots in turn cost half of a backend's
// time.)
int Turn(int listen_socket) {
  const int turn = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLEXCLUSIVE;
  if (turn < 0 || epoll_ctl(turn, EPOLL_CTL_ADD, listen_socket, &event) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll");
  }
  return turn;
}

}  // namespace

AcceptLoop::AcceptLoop(Front& front, int listen_socket, int slots, std::string application_name)
    : front_(front), listen_socket_(listen_socket), application_name_(std::move(application_name)) {
  if (FCGX_Init() != 0) throw std::runtime_error("libfcgi does not start");
  // After FCGX_Init, which installs handlers of its own.
  signal(SIGPIPE, SIG_IGN);
  // Must be a handler and not SIG_IGN: an ignored signal interrupts nothing. Without SA_RESTART accept
  // returns.
  struct sigaction wake {};
  wake.sa_handler = [](int) {};
  sigaction(SIGUSR1, &wake, nullptr);
  // Blocked everywhere but around accept: a request in flight, in libfcgi or in libpq, is never interrupted.
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // Several slots may be told of one connection; those that come too late must not wait in accept.
  fcntl(listen_socket, F_SETFL, fcntl(listen_socket, F_GETFL) | O_NONBLOCK);
  front_.metrics.SetSlots(slots);
  for (int i = 0; i < slots; ++i) {
    Slot& slot = *slots_.emplace_back(std::make_unique<Slot>());
    slot.turn = Turn(listen_socket);
    slot.thread = std::thread([this, &slot] { Run(slot); });
  }
}

AcceptLoop::~AcceptLoop() {
  Stop();
}

void AcceptLoop::Stop() {
  front_.leaving = true;
  for (const auto& slot : slots_) {
    if (slot->thread.joinable()) pthread_kill(slot->thread.native_handle(), SIGUSR1);
  }
  for (const auto& slot : slots_) {
    if (slot->thread.joinable()) slot->thread.join();
    if (slot->turn >= 0) close(std::exchange(slot->turn, -1));
  }
}

// Not FCGX_Accept_r: it goes on to read the request, and a wake signal that arrives there would cost one.
int AcceptLoop::Accept(int turn) const {
  // The wake signal is let in for the length of the wait only, so that it is never lost before it.
  sigset_t waiting;
  pthread_sigmask(SIG_SETMASK, nullptr, &waiting);
  sigdelset(&waiting, SIGUSR1);
  epoll_event event;
  if (epoll_pwait(turn, &event, 1, kLookAgainMs, &waiting) < 0) return -1;
  const int connection = accept4(listen_socket_, nullptr, nullptr, SOCK_CLOEXEC);
  const int error = errno;
  if (connection >= 0) {
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &kPeerTimeout, sizeof(kPeerTimeout));
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &kPeerTimeout, sizeof(kPeerTimeout));
  } else if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM || error == EBADF ||
             error == EINVAL || error == ENOTSOCK) {
    LogLine(LogLevel::kError).Add("err", "accept").Add("why", strerror(error)).Write();
    std::this_thread::sleep_for(kDescriptorPause);
  }
  return connection;
}

void AcceptLoop::Run(Slot& slot) {
  sql::Database database(front_.config.DatabaseSettings(application_name_));
  Redis redis(front_.config.redis_url);
  Gate gate;
  HeadChannel channel;
  bool told = false;
  while (!front_.leaving) {
    // Before a connection is taken: another slot, or another process, may be able to serve it.
    if (!channel.Open()) {
      const int error = errno;
      if (!std::exchange(told, true)) {
        LogLine(LogLevel::kError).Add("err", "socketpair").Add("why", strerror(error)).Write();
      }
      std::this_thread::sleep_for(kDescriptorPause);
      continue;
    }
    told = false;
    const int connection = Accept(slot.turn);
    if (connection < 0) continue;
    const RequestMetrics::Busy busy(front_.metrics);
    gate.Open(connection);
    FCGX_Request fcgi;
    if (!gate.ReadHead() || !channel.BeginRequest(fcgi, gate, connection)) {
      close(connection);
      continue;
    }
    Received received = ReadRequest(fcgi.envp);
    FcgiBody body(gate, received.request.content_length);
    received.request.body = &body;
    FcgiAnswer answer(fcgi);
    Serve(front_, database, redis, received.request, answer, received.problem);
    FinishRequest(fcgi, gate, answer);
  }
}

}  // namespace syncline::front
