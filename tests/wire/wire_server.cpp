// A server with the real front (accept loop, libfcgi, router, pipeline) and routes that real services do not
// have: they fail half-way, throw objects that are no exceptions, answer a gigabyte. For
// tests/wire/*_test.py.
//
//   wire-server SOCKET SLOTS [REDIS-URL]     exits on SIGTERM like syncline-fcgi
#include <sodium.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <new>

#include "fcgi/accept_loop.h"
#include "fcgi/pipeline.h"
#include "fcgi/routes.h"
#include "handlers/base/base64.h"
#include "handlers/base/daemon.h"
#include "handlers/base/events.h"
#include "handlers/base/log.h"
#include "handlers/vault/engineio/polling_flow.h"

namespace {

using namespace syncline;
using namespace std::chrono_literals;

constexpr std::size_t kLimit = 1 << 20;

Response RenderError(const Error& error, const Request& request) {
  return Response::Json(StatusOf(error.kind()),
                        R"({"error":")" + error.code() + R"(","request":")" + request.id + "\"}");
}

std::optional<Identity> Authenticate(Request& request, Context&) {
  const auto token = request.Header("x-token");
  if (!token) return std::nullopt;
  if (*token == "busy") throw Busy("token_busy");
  if (*token == "admin") return Identity{UserId{8}, DeviceId{1}, Roles::kAdmin};
  if (*token != "right")
    throw Unauthenticated("wrong_token", "the token was " + std::to_string(token->size()));
  return Identity{UserId{7}, DeviceId{1}};
}

// Like Anki's dialect, which does not use 401.
Response RenderTeapot(const Error& error, const Request&) {
  return Response::Text(error.kind() == ErrorKind::kUnauthenticated ? 418 : StatusOf(error.kind()),
                        error.code());
}

Response RenderNothing(const Error&, const Request&) {
  throw std::runtime_error("the dialect failed");
}

constexpr std::pair<std::string_view, std::string_view> kHeaders[] = {{"Cache-Control", "no-store"}};
const Cors kCors{
    .allows = [](std::string_view origin, const Config&) { return origin == "https://good.example"; },
    .request_headers = "x-token, content-type",
    .exposed_headers = "ETag",
    .has_credentials = true};
const Dialect kWire{.service = "wire",
                    .authenticate = Authenticate,
                    .render_error = RenderError,
                    .fixed_headers = kHeaders,
                    .cors = &kCors};
const Dialect kBroken{.service = "broken", .render_error = RenderNothing};
const Dialect kTeapot{.service = "teapot", .authenticate = Authenticate, .render_error = RenderTeapot};

Response Echo(Request& request, Context&) {
  return Response::Bytes(request.ReadBody(kLimit))
      .With("X-Path", request.path)
      .With("X-Segments", std::to_string(request.segments.size()))
      .With("X-Query", request.query);
}

Response Headers(Request& request, Context& context) {
  std::string text = "user=" + std::to_string(static_cast<int>(context.user())) + "\n";
  for (const auto& [name, value] : request.headers) text += name + "=" + value + "\n";
  return Response::Text(200, text);
}

// Counts the bytes of the body without storing them.
Response Count(Request& request, Context&) {
  std::uint64_t bytes = 0;
  char buffer[64 << 10];
  while (const std::size_t got = request.body->Read(buffer, sizeof(buffer))) bytes += got;
  return Response::Text(200, std::to_string(bytes));
}

std::uint64_t Number(const Request& request, const char* name) {
  return std::strtoull(request.Query(name).value_or("0").c_str(), nullptr, 10);
}

// Sends `bytes` bytes in pieces of `piece`; throws once `fail` bytes were sent, if given.
Response Stream(Request& request, Context&) {
  const std::uint64_t bytes = Number(request, "bytes"), piece = Number(request, "piece");
  const std::uint64_t fail = request.Query("fail") ? Number(request, "fail") : UINT64_MAX;
  return Response::Stream(
      [=](BodySink& sink) {
        const std::string text(piece, 'x');
        for (std::uint64_t sent = 0; sent < bytes;) {
          if (sent >= fail) throw Error(ErrorKind::kInternal, "internal", "failed half-way");
          const std::string_view next = std::string_view(text).substr(0, bytes - sent);
          sink.Write(next);
          sent += next.size();
        }
      },
      request.Query("announce") ? std::optional(bytes) : std::nullopt);
}

// Throws what the query asks for.
Response Throw(Request& request, Context&) {
  const std::string what = request.Query("what").value_or("");
  if (what == "int") throw 5;
  if (what == "memory") throw std::bad_alloc();
  if (what == "error") throw Busy("busy", "private text");
  throw std::runtime_error("private text\nts=forged");
}

// Holds its slot until the file `until` exists.
Response Wait(Request& request, Context&) {
  const std::string path = request.Query("until").value_or("");
  while (access(path.c_str(), F_OK) != 0) usleep(1000);
  return Response::Text(200, "waited\n");
}

Response Inject(Request&, Context&) {
  return Response::Empty(200).With("X-Value", "a\r\nX-Forged: b\n\nbody").With("X-Na\r\nme", "c");
}

Response Path(Request& request, Context&) {
  return Response::Text(200, request.method + " " + std::string(request.PathParam("path")));
}

// A body that is validated before the login: 422 even without a token.
struct Number422 {
  int value;
};
void ParseNumber(Request& request, Context&) {
  const std::string text = request.ReadBody(kLimit);
  if (text.find_first_not_of("0123456789") != std::string::npos || text.empty()) {
    throw Error(ErrorKind::kUnprocessable, "not_a_number").With("X-Place", "body");
  }
  request.Keep(Number422{std::atoi(text.c_str())});
}
Response Double(Request& request, Context&) {
  return Response::Text(200, std::to_string(2 * request.Kept<Number422>()->value));
}

// Sends one event, and a second one once the file `until` exists; ends when the process leaves.
Response Events(Request& request, Context& context) {
  return EventStream([path = request.Query("until").value_or(""), &context](EventSender& events) {
    events.Send("", "1");
    while (access(path.c_str(), F_OK) != 0) {
      if (context.IsLeaving()) return events.Send("", "leaving");
      usleep(1000);
    }
    events.Send("", "2");
  });
}

Response Metrics(Request&, Context&) {
  return Response::Text(200, "metrics");
}

// Engine.IO with a layer that sends every message back, as the conformance suite of the protocol wants it, and its times.
const Dialect kEngine{.service = "engine", .render_error = vault::RenderEngineError, .ignores_slashes = true};

class EchoReceiver : public vault::MessageReceiver {
 public:
  EchoReceiver(Context& context, const std::string& sid) : sessions_(context.redis()), sid_(sid) {}
  void Begin(bool is_binary) override {
    is_binary_ = is_binary;
    message_.clear();
  }
  void Piece(std::string_view bytes) override { message_.append(bytes); }
  void End() override {
    packets_.push_back(is_binary_ ? "b" + ToBase64(message_, sodium_base64_VARIANT_ORIGINAL)
                                  : "4" + message_);
  }
  void Finish() override {
    if (!packets_.empty()) sessions_.Push(sid_, packets_);
  }

 private:
  vault::SessionStore sessions_;
  const std::string sid_;
  bool is_binary_ = false;
  std::string message_;
  std::vector<std::string> packets_;
};

const vault::MessageLayer kEchoLayer{
    .admit = [](Request&, Context&) { return vault::Admittance{}; },
    .credential = [](const Request& request, Context&) { return request.Query("token").value_or(""); },
    .receive = [](Context& context, const std::string& sid, const vault::SessionFields&)
        -> std::unique_ptr<vault::MessageReceiver> { return std::make_unique<EchoReceiver>(context, sid); },
    .oversized = [](Context&, const vault::SessionFields&) {},
    .alarm =
        [](Context& context, const std::string& sid) {
          vault::SessionStore(context.redis()).Abort(sid, vault::Ending::kBadRequest);
        }};
const vault::SessionRules kEngineRules{.ping_interval = 300ms,
                                       .ping_timeout = 200ms,
                                       .max_payload = 1'000'000,
                                       .post_time = 1s,
                                       .connect_time = 20s};

Response PollEngine(Request& request, Context& context) {
  return vault::Poll(request, context, kEngineRules, kEchoLayer);
}
Response PostEngine(Request& request, Context& context) {
  return vault::ReceivePackets(request, context, kEngineRules, kEchoLayer);
}
Response PutEngine(Request& request, Context&) {
  vault::RefuseMethod(request);
}

const Route kRoutes[] = {
    {"GET", "/engine.io", "wire.poll", Auth::kPublic, sql::Access::kRead, 0, 10s, PollEngine, &kEngine},
    {"POST", "/engine.io", "wire.receive", Auth::kPublic, sql::Access::kRead, std::size_t{4} << 20, 10s,
     PostEngine, &kEngine},
    {"PUT", "/engine.io", "wire.refuse_put", Auth::kPublic, sql::Access::kRead, 0, 10s, PutEngine, &kEngine},
    {"GET", "/metrics", "wire.metrics", Auth::kPublic, sql::Access::kRead, 0, 10s, Metrics, &kWire},
    {"POST", "/echo", "wire.echo", Auth::kPublic, sql::Access::kRead, kLimit, 10s, Echo, &kWire},
    {"POST", "/echo/{name}", "wire.echo_name", Auth::kPublic, sql::Access::kRead, kLimit, 10s, Echo, &kWire},
    {"POST", "/sync/{method}", "wire.sync", Auth::kPublic, sql::Access::kRead, kLimit, 10s, Echo, &kWire},
    {"POST", "/msync/test/{method}", "wire.msync", Auth::kRequired, sql::Access::kRead, kLimit, 10s, Headers,
     &kWire},
    {"GET", "/headers", "wire.headers", Auth::kPublic, sql::Access::kRead, 0, 10s, Headers, &kWire},
    {"GET", "/private", "wire.private", Auth::kRequired, sql::Access::kRead, 0, 10s, Headers, &kWire},
    {"POST", "/count", "wire.count", Auth::kPublic, sql::Access::kRead, std::size_t{4} << 30, 60s, Count,
     &kWire},
    {"POST", "/late", "wire.late", Auth::kPublic, sql::Access::kRead, kLimit, 50ms, Count, &kWire},
    {"GET", "/stream", "wire.stream", Auth::kPublic, sql::Access::kRead, 0, 60s, Stream, &kWire},
    {"GET", "/throw", "wire.throw", Auth::kPublic, sql::Access::kRead, 0, 10s, Throw, &kWire},
    {"GET", "/wait", "wire.wait", Auth::kPublic, sql::Access::kRead, 0, 60s, Wait, &kWire},
    {"POST", "/wait-private", "wire.wait_private", Auth::kRequired, sql::Access::kRead, kLimit, 10s, Wait,
     &kWire},
    {"GET", "/optional", "wire.optional", Auth::kOptional, sql::Access::kRead, 0, 10s, Headers, &kWire},
    Route{"GET", "/admin", "wire.admin", Auth::kRequired, sql::Access::kRead, 0, 10s, Headers, &kWire}
        .Needing(Roles::kAdmin),
    {"GET", "/teapot", "wire.teapot", Auth::kRequired, sql::Access::kRead, 0, 10s, Headers, &kTeapot},
    Route{"POST", "/double", "wire.double", Auth::kRequired, sql::Access::kRead, kLimit, 10s, Double, &kWire}
        .ParsingFirst(ParseNumber),
    Route{"GET", "/limited", "wire.limited", Auth::kOptional, sql::Access::kRead, 0, 10s, Headers, &kWire}
        .Limited({.rate = {3, 1h}}),
    Route{"GET", "/limited-network", "wire.limited_network", Auth::kOptional, sql::Access::kRead, 0, 10s,
          Headers, &kWire}
        .Limited({.rate = {3, 1h}, .per = CallLimit::Per::kNetwork}),
    Route{"GET", "/limited-closed", "wire.limited_closed", Auth::kPublic, sql::Access::kRead, 0, 10s, Headers,
          &kWire}
        .Limited({.rate = {3, 1h}, .is_open_without_redis = false}),
    {"PROPFIND", "/dav/{path...}", "wire.propfind", Auth::kPublic, sql::Access::kRead, 0, 10s, Path, &kWire},
    {"GET", "/broken-dialect", "wire.broken_dialect", Auth::kPublic, sql::Access::kRead, 0, 10s, Throw,
     &kBroken},
    {"GET", "/events", "wire.events", Auth::kPublic, sql::Access::kRead, 0, 60s, Events, &kWire},
    {"GET", "/inject", "wire.inject", Auth::kPublic, sql::Access::kRead, 0, 10s, Inject, &kWire},
};

int Listen(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  unlink(path.c_str());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 || listen(fd, 128) != 0) {
    throw std::runtime_error("cannot listen on " + path);
  }
  chmod(path.c_str(), 0666);
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 64;
  StartLog("info");
  Daemon daemon("wire-server");
  Config config;
  config.database_url = "postgresql:///?host=/nonexistent";
  // The socket exists only while a test runs Redis.
  config.redis_url = argc > 3 ? argv[3] : "unix://" + std::string(argv[1]) + ".redis";
  front::Front front{config, front::Router({std::span<const Route>(kRoutes)}), {true}};
  // Bound before tests wait for the process; the loop accepts at once.
  front::AcceptLoop loop(front, Listen(argv[1]), std::atoi(argv[2]), "wire-server");
  daemon.WaitForLeave();
  loop.Stop();
  return 0;
}
