#pragma once
// A server on this machine that does to each connection whatever a test wants, and needs no protocol for it.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace syncline::tests {

class RawServer {
 public:
  /// `serve` gets each accepted socket, one at a time, and its number from 0. The server closes it afterwards.
  explicit RawServer(std::function<void(int fd, int number)> serve) : serve_(std::move(serve)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 100) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("cannot listen");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      for (int number = 0;; ++number) {
        const int fd = accept(listener_, nullptr, nullptr);
        if (fd < 0 || is_over_) {
          if (fd >= 0) close(fd);
          return;
        }
        connections_ = number + 1;
        serve_(fd, number);
        shutdown(fd, SHUT_WR);
        close(fd);
      }
    });
  }
  ~RawServer() {
    is_over_ = true;
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  int port() const { return port_; }
  int connections() const { return connections_; }

 private:
  std::function<void(int, int)> serve_;
  int listener_ = -1, port_ = 0;
  std::atomic<bool> is_over_{false};
  std::atomic<int> connections_{0};
  std::thread thread_;
};

/// Reads a request without a body to its end; "" when the client has gone.
inline std::string ReadHead(int fd) {
  std::string head;
  char c = 0;
  while (head.find("\r\n\r\n") == std::string::npos) {
    if (recv(fd, &c, 1, 0) != 1) return "";
    head += c;
  }
  return head;
}

/// False when the client has gone.
inline bool SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace syncline::tests
