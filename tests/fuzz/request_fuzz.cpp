// Any bytes on a connection from the web server: no request, or one whose parts are within their bounds.
// Covers everything from FastCGI records through libfcgi to the Request and its body.
#include <fcgiapp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "fcgi/fcgi_io.h"
#include "fcgi/gate.h"
#include "handlers/base/utf8.h"

using namespace syncline;
using namespace syncline::front;

namespace {

void Use(Request& request) {
  if (!request.path.empty() && request.path.front() != '/') std::abort();
  if (request.segments.empty()) std::abort();
  for (const std::string& segment : request.segments) {
    if (segment == "." || segment == ".." || segment.find('/') != std::string::npos || !IsUtf8(segment))
      std::abort();
  }
  for (const char c : request.id) {
    if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7f) std::abort();
  }
  try {
    request.Query("k");
  } catch (const Error&) {
  }
  try {
    if (request.ReadBody(1000).size() > 1000) std::abort();
  } catch (const Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int started = FCGX_Init();
  if (started != 0) std::abort();
  static HeadChannel channel;
  static Gate gate;
  // A larger input would not fit into the socket's buffer, and nobody reads while we write.
  if (size > 100'000) return 0;
  int connection[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, connection) != 0) std::abort();
  if (send(connection[1], data, size, MSG_NOSIGNAL) != static_cast<ssize_t>(size)) std::abort();
  shutdown(connection[1], SHUT_WR);
  gate.Open(connection[0]);
  FCGX_Request fcgi;
  if (!gate.ReadHead()) {
    close(connection[0]);
  } else {
    if (!channel.Open()) std::abort();
    // Everything the gate accepts, libfcgi must accept.
    if (!channel.BeginRequest(fcgi, gate, connection[0])) std::abort();
    Received received = ReadRequest(fcgi.envp);
    FcgiBody body(gate, received.request.content_length);
    received.request.body = &body;
    if (!received.problem) Use(received.request);
    FcgiAnswer answer(fcgi);
    answer.Begin(200, {{"X-Path", received.request.path}});
    FinishRequest(fcgi, gate, answer);
  }
  close(connection[1]);
  return 0;
}
