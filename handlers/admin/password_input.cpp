#include "handlers/admin/password_input.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <iostream>

#include "handlers/account/login/password.h"
#include "handlers/admin/commands.h"

namespace syncline::admin {
namespace {

volatile sig_atomic_t interrupted = 0;

// An interrupted prompt must not leave the terminal without echo. So during the prompt these signals end the
// read instead of the program; AskSecret raises them again after it has restored the terminal.
class InterruptibleRead {
 public:
  InterruptibleRead() {
    interrupted = 0;
    struct sigaction action {};
    action.sa_handler = [](int signal) { interrupted = signal; };  // no SA_RESTART: read must return
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &before_[i]);
  }
  ~InterruptibleRead() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before_[i], nullptr);
  }

 private:
  static constexpr std::array<int, 5> kSignals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
  std::array<struct sigaction, kSignals.size()> before_;
};

class Terminal {
 public:
  Terminal() : fd_(open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    if (fd_ < 0) {
      throw Refusal(
          "there is no terminal to ask for the password: use --password-file (- is standard input)");
    }
  }
  ~Terminal() { close(fd_); }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  std::string AskSecret(const std::string& question) {
    termios before{};
    if (tcgetattr(fd_, &before) != 0) throw Refusal("the terminal's echo cannot be turned off");
    std::string line;
    {
      const InterruptibleRead signals;
      termios silent = before;
      silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
      silent.c_lflag |= ICANON;
      // FLUSH: discards input typed before the prompt, which was echoed.
      tcsetattr(fd_, TCSAFLUSH, &silent);
      Say(question);
      line = ReadLine();
      tcsetattr(fd_, TCSAFLUSH, &before);
      Say("\n");
    }
    if (interrupted != 0) {
      raise(static_cast<int>(interrupted));
      throw Refusal("interrupted");  // reached when resumed after SIGTSTP: do not prompt again
    }
    return line;
  }

 private:
  void Say(const std::string& text) {
    if (write(fd_, text.data(), text.size()) < 0) throw Refusal("the terminal was closed");
  }
  std::string ReadLine() {
    std::string line;
    char c = 0;
    while (interrupted == 0) {
      const ssize_t got = read(fd_, &c, 1);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0 || c == '\n') break;
      if (line.size() <= account::kMaxPasswordBytes) line.push_back(c);
    }
    return line;
  }
  int fd_;
};

std::string FromFile(const std::string& path) {
  const bool is_standard_input = path == "-";
  const int fd = is_standard_input ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw Refusal("cannot read " + path + ": " + strerror(errno));
  std::string text;
  std::array<char, 4096> buffer;
  ssize_t got = 0;
  while (text.size() <= account::kMaxPasswordBytes + 2 &&
         ((got = read(fd, buffer.data(), buffer.size())) > 0 || (got < 0 && errno == EINTR))) {
    if (got > 0) text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  const int error = errno;
  if (!is_standard_input) close(fd);
  if (got < 0) throw Refusal("cannot read " + path + ": " + strerror(error));
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  if (text.find('\n') != std::string::npos) {
    throw Refusal((is_standard_input ? "standard input" : path) +
                  " has more than one line, so it is not a password");
  }
  return text;
}

std::string FromTerminal(const std::string& user) {
  Terminal terminal;
  std::string password = terminal.AskSecret("Password for " + user + ": ");
  if (terminal.AskSecret("Again: ") != password) throw Refusal("the two passwords differ");
  return password;
}

}  // namespace

std::string ReadNewPassword(const std::string& file, const std::string& user) {
  std::string password = file.empty() ? FromTerminal(user) : FromFile(file);
  if (password.size() < account::kMinPasswordBytes) {
    throw Refusal("a password has at least " + std::to_string(account::kMinPasswordBytes) + " bytes");
  }
  if (password.size() > account::kMaxPasswordBytes) {
    throw Refusal("a password has at most " + std::to_string(account::kMaxPasswordBytes) + " bytes");
  }
  return password;
}

bool Confirm(const std::string& question, const std::string& word) {
  if (isatty(STDIN_FILENO) == 0) {
    throw Refusal("there is no terminal to ask for confirmation: use --yes");
  }
  std::cout << question << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == word;
}

}  // namespace syncline::admin
