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

// Give up on a web server that neither sends nor accepts a byte for this long. nginx's own default is 60 s.
constexpr timeval kPeerTimeout{90, 0};

// Longest wait. A process killed between its wake-up and accept leaves a pending connection that wakes no one
// else.
constexpr int kLookAgainMs = 1000;

// Pause of a slot while the process is out of descriptors.
constexpr std::chrono::milliseconds kDescriptorPause{100};

// The epoll descriptor on which a slot waits for the listening socket. With EPOLLEXCLUSIVE the kernel wakes
// the waiter that was added first, so the first slots do the work and their connections to PostgreSQL stay
// warm; accept would rotate through all slots. (Rotating through 32 slots costs half of a backend's time.)
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
  // A handler, not SIG_IGN: an ignored signal interrupts nothing. It makes epoll_pwait return.
  struct sigaction wake {};
  wake.sa_handler = [](int) {};
  sigaction(SIGUSR1, &wake, nullptr);
  // Blocked except while waiting: an in-flight request, in libfcgi or libpq, is never interrupted.
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // Several slots may wake up for one connection; those that come too late must not block in accept.
  fcntl(listen_socket, F_SETFL, fcntl(listen_socket, F_GETFL) | O_NONBLOCK);
  front_.metrics.SetSlots(slots);
  // All of them before the first slot runs: a slot waits for descriptors, but this constructor cannot.
  for (int i = 0; i < slots; ++i) {
    slots_.emplace_back(std::make_unique<Slot>())->turn = Turn(listen_socket);
  }
  for (const auto& slot : slots_) {
    slot->thread = std::thread([this, &slot = *slot] { Run(slot); });
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

// Not FCGX_Accept_r, which also reads the request: a wake signal at that point would lose it.
int AcceptLoop::Accept(int turn) const {
  // The wake signal is unblocked only during the wait, and atomically, so that it cannot be lost before it.
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
    // Before accepting: without descriptors, another slot or process may be able to serve the connection.
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
    const GaugeHold busy = front_.metrics.HoldSlot();
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
