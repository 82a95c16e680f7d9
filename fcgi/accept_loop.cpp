#include "fcgi/accept_loop.h"

#include <errno.h>
#include <fcgiapp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>

#include "fcgi/fcgi_io.h"
#include "fcgi/gate.h"
#include "handlers/base/log.h"

namespace syncline::front {
namespace {

// A web server that neither sends nor takes a byte for so long is not waited for. nginx' own limits are 60 s.
constexpr timeval kPeerTimeout{90, 0};

sigset_t WakeSignal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  return set;
}

}  // namespace

AcceptLoop::AcceptLoop(const Front& front, int listen_socket, int slots, std::string application_name)
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
  const sigset_t set = WakeSignal();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  for (int i = 0; i < slots; ++i) {
    Slot& slot = *slots_.emplace_back(std::make_unique<Slot>());
    slot.thread = std::thread([this, &slot] { Run(slot); });
  }
}

AcceptLoop::~AcceptLoop() {
  Stop();
}

void AcceptLoop::Stop() {
  stopping_ = true;
  for (const auto& slot : slots_) {
    // A signal that arrives after the slot has looked at stopping_ and before it is in accept is lost, so it
    // is sent until the slot has ended.
    while (!slot->ended) {
      pthread_kill(slot->thread.native_handle(), SIGUSR1);
      for (const auto& other : slots_) {
        if (!other->ended) pthread_kill(other->thread.native_handle(), SIGUSR1);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    if (slot->thread.joinable()) slot->thread.join();
  }
}

// Not FCGX_Accept_r: it goes on to read the request, and a wake signal that arrives there would cost one.
int AcceptLoop::Accept() const {
  const sigset_t set = WakeSignal();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  int connection = -1;
  int error = 0;
  if (!stopping_) {
    connection = accept4(listen_socket_, nullptr, nullptr, SOCK_CLOEXEC);
    error = errno;
    if (connection < 0 && error == EAGAIN) {
      // Whoever made the socket made it non-blocking.
      pollfd poll_fd{listen_socket_, POLLIN, 0};
      poll(&poll_fd, 1, -1);
    }
  }
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  if (connection >= 0) {
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &kPeerTimeout, sizeof(kPeerTimeout));
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &kPeerTimeout, sizeof(kPeerTimeout));
  } else if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM || error == EBADF ||
             error == EINVAL || error == ENOTSOCK) {
    // Nothing a slot can do but wait for files to be closed; without the pause it would spin.
    LogLine(LogLevel::kError).Add("err", "accept").Add("why", strerror(error)).Write();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return connection;
}

void AcceptLoop::Run(Slot& slot) {
  sql::Database database(front_.config.DatabaseSettings(application_name_));
  Gate gate;
  HeadChannel channel;
  while (!stopping_) {
    const int connection = Accept();
    if (connection < 0) continue;
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
    Serve(front_, database, received.request, answer, received.problem);
    FinishRequest(fcgi, gate, answer);
  }
  slot.ended = true;
}

}  // namespace syncline::front
