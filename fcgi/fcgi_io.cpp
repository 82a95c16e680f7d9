#include "fcgi/fcgi_io.h"

#include <errno.h>
#include <fcgiapp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <random>
#include <utility>

#include "handlers/base/status_phrases.h"

namespace syncline::front {
namespace {

// How long to wait for buffer space to mark an aborted answer; after that it just ends.
constexpr int kAbortPatienceMs = 5000;
// From the FastCGI specification.
constexpr unsigned char kVersion = 1, kStdout = 6;
constexpr std::size_t kHeaderBytes = 8;
// A multiple of 8, so that full records need no padding.
constexpr std::size_t kRecordBytes = 65528;
// Below this, copying into libfcgi's buffer is cheaper than a separate write.
constexpr std::size_t kOwnRecordBytes = 8192;
// A refused upload is drained, because a web server that cannot send the body reports 502 instead of our
// answer. It closes the connection long before this.
constexpr std::chrono::seconds kDrainTime{10};

std::string NewRequestId() {
  static thread_local std::mt19937_64 random{std::random_device{}()};
  std::string id(16, '0');
  std::uint64_t bits = random();
  for (char& c : id) {
    c = "0123456789abcdef"[bits & 15];
    bits >>= 4;
  }
  return id;
}

// It is written to log lines and a header, so only these characters are allowed.
bool IsRequestId(std::string_view id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
  });
}

// HTTP_IF_MATCH -> if-match
std::string HeaderName(std::string_view param) {
  std::string name(param);
  for (char& c : name) c = c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return name;
}

// Anki's client shows this text.
std::string_view Reason(int status) {
  constexpr int kUpgradeRequired = 426;
  return status == kUpgradeRequired ? "Please use https:// to log in" : StatusPhrase(status);
}

// Replaces control characters, so that a value cannot end its header and start another.
void AppendHeaderText(std::string& out, std::string_view text) {
  for (const char c : text) out.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c);
}

void WriteAll(int fd, iovec* parts, std::size_t count) {
  while (count > 0) {
    const ssize_t wrote = writev(fd, parts, static_cast<int>(count));
    if (wrote < 0) {
      if (errno == EINTR) continue;
      throw ClientGone("the web server does not accept the answer");
    }
    auto rest = static_cast<std::size_t>(wrote);
    while (count > 0 && rest >= parts->iov_len) {
      rest -= parts->iov_len;
      ++parts;
      --count;
    }
    if (count > 0) {
      parts->iov_base = static_cast<char*>(parts->iov_base) + rest;
      parts->iov_len -= rest;
    }
  }
}

}  // namespace

Received ReadRequest(const char* const* params) {
  Received received;
  Request& request = received.request;
  const auto refuse = [&](const char* code) {
    if (!received.problem) received.problem = BadInput(code);
  };
  std::string_view request_uri;
  request.headers.reserve(16);
  for (; params != nullptr && *params != nullptr; ++params) {
    const std::string_view param = *params;
    const auto equals = param.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = param.substr(0, equals), value = param.substr(equals + 1);
    if (name.starts_with("HTTP_SYNCLINE_")) {
      continue;  // a client that poses as nginx
    } else if (name.starts_with("HTTP_")) {
      request.headers.emplace_back(HeaderName(name.substr(5)), value);
    } else if (name == "REQUEST_METHOD") {
      request.method = value;
    } else if (name == "REQUEST_URI") {
      request_uri = value;
    } else if (name == "QUERY_STRING") {
      request.query = value;
    } else if (name == "REMOTE_ADDR") {
      request.remote_address = value;
    } else if (name == "CONTENT_TYPE") {
      if (!value.empty()) request.headers.emplace_back("content-type", value);
    } else if (name == "CONTENT_LENGTH") {
      if (value.empty()) continue;
      std::size_t length = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
      if (error == std::errc::result_out_of_range && end == value.data() + value.size()) {
        length = SIZE_MAX;  // beyond any limit: the limit of the route makes it a 413
      } else if (error != std::errc() || end != value.data() + value.size()) {
        refuse("bad_content_length");
      }
      request.content_length = length;
    } else if (name == "SYNCLINE_REQUEST_ID") {
      if (IsRequestId(value)) request.id = value;
    } else if (name.starts_with("SYNCLINE_")) {
      if (!value.empty()) request.headers.emplace_back(HeaderName(name), value);
    }
  }
  if (request.id.empty()) request.id = NewRequestId();
  if (request.method.empty()) refuse("no_method");
  request.path = request_uri.substr(0, request_uri.find('?'));
  try {
    request.segments = PathSegments(request.path);
  } catch (const Error& error) {
    if (!received.problem) received.problem = error;
    // Not decoded: sufficient to find the dialect of the refusal.
    request.segments = RawSegments(request.path);
  }
  return received;
}

std::size_t FcgiBody::Read(char* buffer, std::size_t size) {
  if (left_) size = std::min(size, *left_);
  if (size == 0) return 0;
  const std::size_t got = gate_.ReadBody(buffer, size);
  if (left_) *left_ -= got;
  if (got < size && left_ && *left_ > 0) throw BadInput("body_cut", "the body is shorter than announced");
  return got;
}

void FcgiAnswer::Put(std::string_view bytes) {
  if (FCGX_PutStr(bytes.data(), static_cast<int>(bytes.size()), fcgi_.out) < 0) {
    throw ClientGone("the web server does not accept the answer");
  }
}

void FcgiAnswer::Flush() {
  if (FCGX_FFlush(fcgi_.out) < 0) throw ClientGone("the web server does not accept the answer");
}

// nginx closes the connection when its client does. Data that it sent before can still be read.
bool FcgiAnswer::IsClientGone() const noexcept {
  pollfd connection{fcgi_.ipcFd, 0, 0};
  return poll(&connection, 1, 0) == 1 && (connection.revents & (POLLHUP | POLLERR)) != 0;
}

void FcgiAnswer::Begin(int status, const Headers& headers) {
  std::string head = "Status: " + std::to_string(status) + " ";
  head.append(Reason(status)).append("\r\n");
  for (const auto& [name, value] : headers) {
    AppendHeaderText(head, name);
    head += ": ";
    AppendHeaderText(head, value);
    head += "\r\n";
  }
  head += "\r\n";
  Put(head);
}

void FcgiAnswer::Write(std::string_view bytes) {
  if (bytes.size() < kOwnRecordBytes) return Put(bytes);
  Flush();
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kRecordBytes);
    const std::size_t padding = (8 - piece.size() % 8) % 8;
    unsigned char header[kHeaderBytes] = {kVersion,
                                          kStdout,
                                          static_cast<unsigned char>(fcgi_.requestId >> 8),
                                          static_cast<unsigned char>(fcgi_.requestId),
                                          static_cast<unsigned char>(piece.size() >> 8),
                                          static_cast<unsigned char>(piece.size()),
                                          static_cast<unsigned char>(padding),
                                          0};
    static char zeros[8] = {};
    iovec parts[3] = {
        {header, sizeof(header)}, {const_cast<char*>(piece.data()), piece.size()}, {zeros, padding}};
    WriteAll(fcgi_.ipcFd, parts, padding == 0 ? 2 : 3);
    bytes.remove_prefix(piece.size());
  }
}

bool HeadChannel::Open() {
  return ends_[0] >= 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends_) == 0;
}

void HeadChannel::Close() {
  for (int& end : ends_) {
    if (end >= 0) close(std::exchange(end, -1));
  }
}

bool HeadChannel::BeginRequest(FCGX_Request& fcgi, const Gate& gate, int connection) {
  const std::string& head = gate.head();
  const bool sent =
      send(ends_[1], head.data(), head.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(head.size());
  if (sent) {
    // libfcgi treats an open descriptor as a kept-alive connection and does not accept one itself.
    FCGX_InitRequest(&fcgi, /*sock=*/-1, /*flags=*/0);
    fcgi.ipcFd = ends_[0];
    fcgi.keepConnection = 1;
    if (FCGX_Accept_r(&fcgi) == 0) {
      fcgi.ipcFd = connection;
      return true;
    }
    ends_[0] = -1;  // closed by libfcgi
  }
  // Leftovers in the channel must not become part of the next request.
  Close();
  return false;
}

namespace {

/// Discards input until the peer closes its end, for at most kDrainTime.
void Drain(int connection) {
  const auto give_up = std::chrono::steady_clock::now() + kDrainTime;
  char trash[64 << 10];
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(give_up - std::chrono::steady_clock::now());
    pollfd poll_fd{connection, POLLIN, 0};
    if (left.count() <= 0 || poll(&poll_fd, 1, static_cast<int>(left.count())) <= 0) return;
    if (recv(connection, trash, sizeof(trash), MSG_DONTWAIT) <= 0) return;
  }
}

}  // namespace

void DetachRequest(FCGX_Request& fcgi) {
  FCGX_Detach(&fcgi);
  FCGX_Free(&fcgi, /*close=*/0);
}

void FinishRequest(FCGX_Request& fcgi, Gate& gate, const FcgiAnswer& answer) {
  const int connection = fcgi.ipcFd;
  // We close the connection: libfcgi would wait for the peer to close, up to two seconds per request.
  FCGX_Detach(&fcgi);
  if (answer.aborted()) {
    // nginx treats a closed connection as the end of an answer without Content-Length. A record of an unknown
    // version is an error, so the client sees that the answer is incomplete.
    const char nonsense[kHeaderBytes] = {};
    // The buffer may be full of answer that nginx has yet to read; without room for this record it would see
    // a proper end.
    pollfd writable{connection, POLLOUT, 0};
    if (poll(&writable, 1, kAbortPatienceMs) == 1) {
      send(connection, nonsense, sizeof(nonsense), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
  } else {
    FCGX_FClose(fcgi.err);
    FCGX_FClose(fcgi.out);
  }
  // Closing a unix socket with unread input is an error for the peer, which may then report 502 instead of
  // our answer. If more input is to come, as with a refused upload, nginx must see the end of the answer
  // first: without keep-alive it waits for that, and it stops sending a body once it has the head of the
  // answer.
  if (!gate.EndsNow()) {
    shutdown(connection, SHUT_WR);
    Drain(connection);
  }
  FCGX_Free(&fcgi, /*close=*/1);
}

}  // namespace syncline::front
