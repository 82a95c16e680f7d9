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
#include <memory>
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
// nginx sends the head of a request at once. A process that shuts down waits for requests that it has begun
// to read.
constexpr timeval kHeadTimeout{5, 0};

// Longest wait. A process killed between its wake-up and accept leaves a pending connection that wakes no one
// else.
constexpr int kLookAgainMs = 1000;

// How long a request waits for a row that another transaction has locked, usually the same account's finish. It holds
// its slot meanwhile. Jobs wait longer.
constexpr std::chrono::milliseconds kLockPatience{2000};

// Pause of a slot while the process is out of descriptors.
constexpr std::chrono::milliseconds kDescriptorPause{100};

// The epoll descriptor on which a slot waits for the listening socket, and for the alarm of parked requests. With EPOLLEXCLUSIVE the kernel wakes
// the waiter that was added first, so the first slots do the work and their connections to PostgreSQL stay
// warm; accept would rotate through all slots. (Rotating through 32 slots costs half of a backend's time.)
int Turn(int listen_socket, int alarm) {
  const int turn = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLEXCLUSIVE;
  if (turn < 0 || epoll_ctl(turn, EPOLL_CTL_ADD, listen_socket, &event) != 0 ||
      epoll_ctl(turn, EPOLL_CTL_ADD, alarm, &event) != 0) {
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
  // Create all of them before the first slot runs: a slot waits for free descriptors, but this constructor
  // cannot.
  for (int i = 0; i < slots; ++i) {
    slots_.emplace_back(std::make_unique<Slot>())->turn = Turn(listen_socket, front_.turns.alarm());
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
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &kHeadTimeout, sizeof(kHeadTimeout));
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &kPeerTimeout, sizeof(kPeerTimeout));
  } else if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM || error == EBADF ||
             error == EINVAL || error == ENOTSOCK) {
    LogLine(LogLevel::kError).Add("err", "accept").Add("why", strerror(error)).Write();
    std::this_thread::sleep_for(kDescriptorPause);
  }
  return connection;
}

void AcceptLoop::Run(Slot& slot) {
  sql::Settings settings = front_.config.DatabaseSettings(application_name_);
  settings.lock_timeout = kLockPatience;
  sql::Database database(settings);
  Redis redis(front_.config.redis_url);
  auto gate = std::make_unique<Gate>();
  HeadChannel channel;
  bool told = false, was_parked = false;
  for (;;) {
    // Parked requests are refused before the process ends: the web server does not send them to another one.
    const bool is_leaving = front_.leaving;
    // Before accepting: without descriptors, another slot or process may be able to serve the connection.
    if (!channel.Open()) {
      const int error = errno;
      if (!std::exchange(told, true)) {
        LogLine(LogLevel::kError).Add("err", "socketpair").Add("why", strerror(error)).Write();
      }
      if (is_leaving) break;
      std::this_thread::sleep_for(kDescriptorPause);
      continue;
    }
    told = false;
    // New connections and parked requests take turns, so that many parked ones do not keep the others waiting.
    std::unique_ptr<Visit> visit;
    if (is_leaving) {
      visit = front_.turns.TakeAny();
    } else if (!std::exchange(was_parked, false)) {
      visit = front_.turns.Next();
      was_parked = visit != nullptr;
    }
    if (visit == nullptr) {
      if (is_leaving) break;
      const int connection = Accept(slot.turn);
      if (connection < 0) continue;
      visit =
          std::make_unique<Visit>(Visit{.connection = FileDescriptor(connection), .gate = std::move(gate)});
      visit->gate->Open(connection);
    }
    const GaugeHold busy = front_.metrics.HoldSlot();
    const bool is_parked = !ServeVisit(*visit, channel, database, redis);
    gate = is_parked ? std::make_unique<Gate>() : std::move(visit->gate);
    if (is_parked) front_.turns.Park(std::move(visit));
  }
}

bool AcceptLoop::ServeVisit(Visit& visit, HeadChannel& channel, sql::Database& database, Redis& redis) {
  Gate& gate = *visit.gate;
  const int connection = visit.connection.get();
  if (visit.coming == Visit::Coming::kFresh) {
    if (!gate.ReadHead()) return true;
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &kPeerTimeout, sizeof(kPeerTimeout));
  }
  FCGX_Request fcgi;
  if (!channel.BeginRequest(fcgi, gate, connection)) {
    if (visit.coming == Visit::Coming::kWithTurn)
      front_.turns.Leave(visit.account, {}, /*was_refused=*/false);
    return true;
  }
  Received received = ReadRequest(fcgi.envp);
  FcgiBody body(gate, received.request.content_length);
  received.request.body = &body;
  if (!visit.kept.empty()) {
    received.request.kept = std::move(visit.kept);
    received.request.is_body_kept = true;
  }
  FcgiAnswer answer(fcgi);
  if (!Serve(front_, database, redis, received.request, answer, received.problem, visit)) {
    DetachRequest(fcgi);
    return false;
  }
  visit.connection.Release();  // closed by FinishRequest
  FinishRequest(fcgi, gate, answer);
  return true;
}

}  // namespace syncline::front
