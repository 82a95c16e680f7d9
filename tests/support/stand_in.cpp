#include "tests/support/stand_in.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

#include "handlers/base/http_out.h"

namespace syncline::tests {
namespace {

int CountOf(const std::string& text, const std::string& part) {
  int count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

}  // namespace

StandIn::StandIn(const std::vector<std::string>& options) {
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  std::vector<std::string> words = {"python3", SYNCLINE_SOURCE "/tests/support/jikan.py"};
  words.insert(words.end(), options.begin(), options.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) {
    dup2(in[0], 0);
    dup2(out[1], 1);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  input_ = in[1];
  std::string line;
  for (char c = 0; read(out[0], &c, 1) == 1 && c != '\n';) line += c;
  close(out[0]);
  const auto blank = line.find(' ');
  if (blank == std::string::npos) throw std::runtime_error("the stand-in does not start");
  url_ = line.substr(0, blank);
  control_ = line.substr(blank + 1);
}

StandIn::~StandIn() {
  close(input_);  // then it ends
  waitpid(pid_, nullptr, 0);
}

std::string StandIn::Control(const std::string& method, const std::string& target,
                             const std::string& body) const {
  HttpClient client("127.0.0.0/8");
  HttpLimits limits;
  limits.body_bytes = 64 << 20;
  return client
      .Send({.method = method, .url = *ParseHttpUrl(control_ + target), .headers = {}, .body = body}, limits)
      .body;
}

void StandIn::Rule(const std::string& action, int times, const std::string& path) const {
  Control("POST", "/ctl/rules",
          R"({"match": {"path": ")" + path + R"("}, "times": )" + std::to_string(times) + R"(, "action": )" +
              action + "}");
}

int StandIn::Count(const std::string& part) const {
  const std::string log = Control("GET", "/ctl/log");
  int count = 0;
  const std::string key = "\"uri\": \"";
  for (auto at = log.find(key); at != std::string::npos; at = log.find(key, at + 1)) {
    const auto begin = at + key.size();
    if (log.substr(begin, log.find('"', begin) - begin).find(part) != std::string::npos) ++count;
  }
  return count;
}

int StandIn::Violations() const {
  return CountOf(Control("GET", "/ctl/violations"), "\"uri\"");
}

int StandIn::Peak(int ms) const {
  return std::stoi(Control("GET", "/ctl/peak?ms=" + std::to_string(ms)));
}

}  // namespace syncline::tests
