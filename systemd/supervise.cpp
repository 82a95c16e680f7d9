// The part of systemd that ./run needs on machines, containers and chroots without it: starts the services of
// a table in order, keeps them alive, stops them in reverse order. Production uses the units in this folder.
//
//   syncline-supervise DIR [--with-parent PID]
//
// reads DIR/services, one tab-separated line each:
//
//   task  NAME  SECONDS  COMMAND...
//   keep  NAME  PROCESSES  SOCKET|-  SIGNAL  SECONDS  COMMAND...
//
// A `task` must succeed within SECONDS before the next line begins.
//
// `keep` runs PROCESSES copies. With a SOCKET (a path), the supervisor listens on it and every copy inherits
// it as descriptor 0, as FastCGI requires: a copy that dies loses no waiting connection. A copy that ends is
// restarted. To stop, a copy gets SIGNAL, and SIGKILL after SECONDS.
//
// Output goes to DIR/log/NAME.log, "PID STARTTIME" of each copy to DIR/pids/NAME.N. When the supervisor
// itself is killed, the kernel sends each copy its SIGNAL. Left out on purpose: reloading the table, users,
// limits.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Copy {
  pid_t pid = 0;            ///< 0: not running
  Clock::time_point since;  ///< of the last start
  Clock::time_point start_at;
  int quick_deaths = 0;  ///< in a row
  bool failed = false;   ///< the last run ended with an error
};

struct Service {
  bool is_task = false;
  std::string name;
  int processes = 1;
  std::string socket;
  int listener = -1;
  int stop_signal = SIGTERM;
  seconds patience{10};
  std::vector<std::string> command;
  std::vector<Copy> copies;
};

struct Stopped {};  ///< thrown by Wait when the supervisor is told to stop

std::string directory;
std::vector<Service> services;
sigset_t signals;

std::vector<std::string> SplitTabs(const std::string& line) {
  std::vector<std::string> fields(1);
  for (const char c : line) {
    if (c == '\t')
      fields.emplace_back();
    else
      fields.back() += c;
  }
  return fields;
}

int SignalNumber(const std::string& name) {
  if (name == "TERM") return SIGTERM;
  if (name == "INT") return SIGINT;
  if (name == "QUIT") return SIGQUIT;
  throw std::runtime_error("unknown signal " + name);
}

Service ParseLine(const std::string& line) {
  const auto fields = SplitTabs(line);
  Service service;
  service.is_task = fields.at(0) == "task";
  service.name = fields.at(1);
  std::size_t command = 3;
  if (service.is_task) {
    service.patience = seconds(std::stoi(fields.at(2)));
  } else {
    service.processes = std::stoi(fields.at(2));
    if (fields.at(3) != "-") service.socket = fields.at(3);
    service.stop_signal = SignalNumber(fields.at(4));
    service.patience = seconds(std::stoi(fields.at(5)));
    command = 6;
  }
  service.command.assign(fields.begin() + static_cast<std::ptrdiff_t>(command), fields.end());
  if (service.command.empty()) throw std::runtime_error("no command in: " + line);
  service.copies.resize(static_cast<std::size_t>(service.processes));
  return service;
}

std::runtime_error SystemError(const std::string& what) {
  return std::runtime_error(what + ": " + std::strerror(errno));
}

void Listen(Service& service) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (service.socket.size() >= sizeof address.sun_path)
    throw std::runtime_error("too long for a socket: " + service.socket);
  std::memcpy(address.sun_path, service.socket.c_str(), service.socket.size() + 1);
  service.listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (service.listener < 0) throw SystemError("socket");
  ::unlink(service.socket.c_str());
  if (::bind(service.listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw SystemError("bind " + service.socket);
  if (::chmod(service.socket.c_str(), 0660) != 0) throw SystemError("chmod " + service.socket);
  // Connections wait here while a pool restarts; the kernel caps the backlog at net.core.somaxconn.
  if (::listen(service.listener, 4096) != 0) throw SystemError("listen " + service.socket);
}

std::string PidFile(const std::string& name, std::size_t copy) {
  return directory + "/pids/" + name + "." + std::to_string(copy + 1);
}

/// A pid alone may have been reused by the time it is read; with the kernel's start time it is unique.
void WritePid(const std::string& path, pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(stat)), {});
  std::string start = "0";
  if (const auto end = text.rfind(')'); end != std::string::npos) {
    // Field 22 of the line; the name, field 2, may contain spaces, so counting starts after it.
    std::size_t at = end + 1;
    for (int field = 3; field <= 22 && at != std::string::npos; ++field)
      at = text.find(' ', at + (field > 3));
    if (at != std::string::npos) start = text.substr(at + 1, text.find(' ', at + 1) - at - 1);
  }
  std::ofstream(path + ".new") << pid << ' ' << start << '\n';
  std::rename((path + ".new").c_str(), path.c_str());
}

pid_t Spawn(const Service& service) {
  const std::string log = directory + "/log/" + service.name + ".log";
  std::vector<char*> argv;
  for (const auto& word : service.command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) throw SystemError("fork");
  if (pid > 0) return pid;

  // A separate process group: Ctrl-C in the terminal reaches only the supervisor, and children that a killed
  // copy leaves behind (nginx's workers) can be found.
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, service.stop_signal);
  if (::getppid() != parent) ::_exit(1);  // the parent died before the line above took effect
  ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int in = service.listener >= 0 ? service.listener : ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (out < 0 || in < 0) ::_exit(126);
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(out, 2);
  // execv, not execvp: argv[0] is always a path, and a file that is not a program must not go to the shell.
  ::execv(argv[0], argv.data());
  std::fprintf(stderr, "%s: %s\n", argv[0], std::strerror(errno));
  ::_exit(127);
}

void StartCopy(Service& service, std::size_t i) {
  Copy& copy = service.copies[i];
  copy.pid = Spawn(service);
  copy.since = Clock::now();
  WritePid(PidFile(service.name, i), copy.pid);
}

/// Up to five quick deaths in a row are restarted at once (tests kill on purpose); then restarts slow down,
/// so that a program that cannot start does not use up a core.
milliseconds DelayAfter(int quick_deaths) {
  if (quick_deaths <= 5) return milliseconds(0);
  return std::min(milliseconds(100) * (1 << std::min(quick_deaths - 5, 6)), milliseconds(5000));
}

void Ended(Service& service, std::size_t i, const siginfo_t& info) {
  Copy& copy = service.copies[i];
  copy.quick_deaths = Clock::now() - copy.since < seconds(1) ? copy.quick_deaths + 1 : 0;
  copy.start_at = Clock::now() + DelayAfter(copy.quick_deaths);
  copy.failed = info.si_code != CLD_EXITED || info.si_status != 0;
  if (!service.is_task || copy.failed)
    std::fprintf(stderr, "%s.%zu (pid %d) ended: %s %d\n", service.name.c_str(), i + 1, copy.pid,
                 info.si_code == CLD_EXITED ? "exit" : "signal", info.si_status);
  copy.pid = 0;
  ::unlink(PidFile(service.name, i).c_str());
}

/// Handles every child that has ended.
void Reap() {
  siginfo_t info{};
  while (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) {
    for (auto& service : services) {
      for (std::size_t i = 0; i < service.copies.size(); ++i) {
        if (service.copies[i].pid != info.si_pid) continue;
        // Not reaped yet, so the pid cannot be reused: the rest of its group is killed first.
        ::kill(-info.si_pid, SIGKILL);
        Ended(service, i, info);
      }
    }
    ::waitpid(info.si_pid, nullptr, 0);
    info.si_pid = 0;
  }
}

/// Sleeps until a child ends or `limit` passes. Throws Stopped if the supervisor is told to stop.
void Wait(milliseconds limit) {
  const timespec time{limit.count() / 1000, (limit.count() % 1000) * 1'000'000};
  const int signal = ::sigtimedwait(&signals, nullptr, &time);
  Reap();
  if (signal > 0 && signal != SIGCHLD) throw Stopped();
}

void StartWhatIsDue(Service& service) {
  for (std::size_t i = 0; i < service.copies.size(); ++i)
    if (service.copies[i].pid == 0 && service.copies[i].start_at <= Clock::now()) StartCopy(service, i);
}

/// Restarts copies of the services started so far (lines before `end`) while the rest waits.
void KeepAlive(std::size_t end) {
  for (std::size_t i = 0; i < end; ++i)
    if (!services[i].is_task) StartWhatIsDue(services[i]);
}

void RunTask(std::size_t line) {
  Service& task = services[line];
  StartCopy(task, 0);
  const auto deadline = Clock::now() + task.patience;
  while (task.copies[0].pid != 0) {
    if (Clock::now() > deadline) throw std::runtime_error(task.name + " did not end in time");
    Wait(milliseconds(20));
    KeepAlive(line);
  }
  if (task.copies[0].failed) throw std::runtime_error(task.name + " failed");
}

bool AnyRunning(const Service& service) {
  return std::any_of(service.copies.begin(), service.copies.end(), [](const Copy& c) { return c.pid != 0; });
}

void WaitUntilGone(const Service& service, Clock::time_point deadline) {
  while (AnyRunning(service) && Clock::now() < deadline) {
    try {
      Wait(milliseconds(200));
    } catch (const Stopped&) {
      // A second signal changes nothing: the order of stopping stays.
    }
  }
}

void StopAll() {
  for (auto service = services.rbegin(); service != services.rend(); ++service) {
    for (const auto& copy : service->copies)
      if (copy.pid != 0) ::kill(copy.pid, service->stop_signal);
    WaitUntilGone(*service, Clock::now() + service->patience);
    for (const auto& copy : service->copies)
      if (copy.pid != 0) ::kill(-copy.pid, SIGKILL);
    WaitUntilGone(*service, Clock::now() + seconds(5));
    if (service->listener >= 0) {
      ::close(service->listener);
      ::unlink(service->socket.c_str());
    }
  }
}

void StartAll() {
  for (std::size_t line = 0; line < services.size(); ++line) {
    if (services[line].is_task) {
      RunTask(line);
    } else {
      if (!services[line].socket.empty()) Listen(services[line]);
      StartWhatIsDue(services[line]);
    }
  }
}

int Supervise() {
  int code = 0;
  try {
    std::ifstream table(directory + "/services");
    for (std::string line; std::getline(table, line);)
      if (!line.empty()) services.push_back(ParseLine(line));
    StartAll();
    for (;;) {
      Wait(milliseconds(200));
      KeepAlive(services.size());
    }
  } catch (const Stopped&) {
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    code = 1;
  }
  StopAll();
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: syncline-supervise DIR [--with-parent PID]\n");
    return 2;
  }
  directory = argv[1];
  if (argc > 3) {
    // In the foreground: killing ./run must not leave a server behind.
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != std::atoi(argv[3])) return 1;
  }
  // Orphans of a killed service (nginx's workers, PostgreSQL's backends) become our children to reap.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigemptyset(&signals);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) {
    // A shell starts background jobs with SIGINT ignored; an ignored signal is never received by a wait.
    ::signal(signal, SIG_DFL);
    sigaddset(&signals, signal);
  }
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  WritePid(directory + "/pids/supervise", ::getpid());
  const int code = Supervise();
  ::unlink((directory + "/pids/supervise").c_str());
  return code;
}
