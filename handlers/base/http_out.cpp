#include "handlers/base/http_out.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>

#include "handlers/base/base64.h"
#include "handlers/base/gzip.h"
#include "handlers/base/header_values.h"
#include "handlers/base/request.h"

namespace syncline {
namespace {

namespace http = boost::beast::http;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How often a waiting request checks whether it must stop.
constexpr milliseconds kPollInterval{100};
constexpr std::size_t kReadBytes = 16 << 10;
// Beyond header and body: sizes of chunks, trailers.
constexpr std::size_t kMoreWireBytes = 64 << 10;
// Each hung lookup occupies a thread until the resolver gives up.
constexpr int kMaxLookups = 32;
// Of one name.
constexpr std::size_t kMaxAddresses = 8;
constexpr const char* kUserAgent = "Syncline/" SYNCLINE_VERSION " (self-hosted sync server)";

[[noreturn]] void Fail(HttpFailure failure, const std::string& why) {
  throw HttpError(failure, why);
}

}  // namespace

// The time limit of one step: its own limit, or the rest of the overall deadline if that is less.
class OutboundDeadline {
 public:
  OutboundDeadline(Clock::time_point whole, const Waiter& wait) : whole_(whole), wait_(wait) {}
  /// Begins a step.
  void Start(milliseconds limit) { step_ = std::min(whole_, Clock::now() + limit); }
  void ThrowIfStopped() const {
    if (wait_) wait_(milliseconds(0));
  }
  /// The next wait; throws when the step's time is over.
  milliseconds NextWait(const char* what) const {
    const auto left = std::chrono::ceil<milliseconds>(step_ - Clock::now());
    if (left <= milliseconds(0)) Fail(HttpFailure::kTimeout, std::string("timeout while ") + what);
    return std::min(left, kPollInterval);
  }

 private:
  Clock::time_point whole_, step_{};
  const Waiter& wait_;
};

namespace {

void WaitFor(int fd, short events, const OutboundDeadline& deadline, const char* what) {
  for (;;) {
    pollfd one{fd, events, 0};
    const int ready = poll(&one, 1, static_cast<int>(deadline.NextWait(what).count()));
    if (ready > 0) return;
    if (ready < 0 && errno != EINTR) Fail(HttpFailure::kConnect, std::strerror(errno));
    deadline.ThrowIfStopped();
  }
}

// --- Names

struct Lookup {
  std::mutex mutex;
  std::condition_variable ended;
  bool is_over = false;
  int error = 0;
  std::vector<NetworkAddress> addresses;
};

std::atomic<int> running_lookups{0};

// One of kMaxLookups, as long as it lives.
class LookupPlace {
 public:
  LookupPlace() {
    if (running_lookups.fetch_add(1) < kMaxLookups) return;
    running_lookups.fetch_sub(1);
    Fail(HttpFailure::kConnect, "too many lookups of names hang");
  }
  LookupPlace(const LookupPlace&) = delete;
  LookupPlace& operator=(const LookupPlace&) = delete;
  ~LookupPlace() { running_lookups.fetch_sub(1); }
};

void LookUp(const std::string& host, Lookup& lookup) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  {
    const std::lock_guard lock(lookup.mutex);
    lookup.error = error;
    for (const addrinfo* one = error == 0 ? found : nullptr; one != nullptr; one = one->ai_next) {
      if (const auto address = AddressOf(*one->ai_addr)) lookup.addresses.push_back(*address);
    }
    lookup.is_over = true;
    lookup.ended.notify_all();
  }
  if (error == 0) freeaddrinfo(found);
}

// getaddrinfo has no timeout, so it runs in a detached thread.
std::vector<NetworkAddress> Resolve(const std::string& host, const OutboundDeadline& deadline) {
  if (const auto address = ParseAddress(host)) return {*address};
  const auto place = std::make_shared<LookupPlace>();
  const auto lookup = std::make_shared<Lookup>();
  try {
    std::thread([lookup, host, place] { LookUp(host, *lookup); }).detach();
  } catch (const std::system_error& error) {
    Fail(HttpFailure::kConnect, std::string("no thread for a lookup: ") + error.what());
  }
  std::unique_lock lock(lookup->mutex);
  while (
      !lookup->ended.wait_for(lock, deadline.NextWait("resolving the name"), [&] { return lookup->is_over; }))
    deadline.ThrowIfStopped();
  if (lookup->error != 0) Fail(HttpFailure::kConnect, host + ": " + gai_strerror(lookup->error));
  return lookup->addresses;
}

FileDescriptor ConnectTo(const NetworkAddress& address, int port, const OutboundDeadline& deadline) {
  sockaddr_storage storage{};
  socklen_t size = 0;
  if (address.IsV4()) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(static_cast<std::uint16_t>(port));
    std::memcpy(&v4.sin_addr, address.bytes.data() + 12, 4);
    size = sizeof v4;
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(static_cast<std::uint16_t>(port));
    std::memcpy(&v6.sin6_addr, address.bytes.data(), 16);
    size = sizeof v6;
  }
  FileDescriptor fd(socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto fail = [&](int error) {
    Fail(HttpFailure::kConnect, address.Text() + ": " + std::strerror(error));
  };
  if (!fd.IsOpen()) fail(errno);
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0) {
    if (errno != EINPROGRESS) fail(errno);
    WaitFor(fd.get(), POLLOUT, deadline, "connecting");
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) fail(error);
  }
  return fd;
}

// --- TLS

std::string TlsErrors() {
  std::string all;
  while (const unsigned long code = ERR_get_error()) {
    char text[256];
    ERR_error_string_n(code, text, sizeof text);
    all += (all.empty() ? "" : "; ") + std::string(text);
  }
  return all.empty() ? "connection closed" : all;
}

// Trusts what the machine trusts; SSL_CERT_FILE and SSL_CERT_DIR name something else.
SSL_CTX* TlsContext() {
  static SSL_CTX* const context = [] {
    SSL_CTX* made = SSL_CTX_new(TLS_client_method());
    if (made == nullptr || SSL_CTX_set_default_verify_paths(made) != 1)
      throw Error(ErrorKind::kInternal, "internal", "no TLS: " + TlsErrors());
    SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION);
    SSL_CTX_set_verify(made, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return made;
  }();
  return context;
}

using TlsPtr = std::unique_ptr<SSL, void (*)(SSL*)>;

TlsPtr StartTls(int fd, const std::string& host, const OutboundDeadline& deadline) {
  ERR_clear_error();
  TlsPtr tls(SSL_new(TlsContext()), SSL_free);
  bool is_ready = tls != nullptr && SSL_set_fd(tls.get(), fd) == 1;
  if (is_ready && ParseAddress(host)) {
    is_ready = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls.get()), host.c_str()) == 1;
  } else if (is_ready) {
    SSL_set_hostflags(tls.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    is_ready =
        SSL_set_tlsext_host_name(tls.get(), host.c_str()) == 1 && SSL_set1_host(tls.get(), host.c_str()) == 1;
  }
  if (!is_ready) Fail(HttpFailure::kTls, "setting up: " + TlsErrors());
  for (;;) {
    const int done = SSL_connect(tls.get());
    if (done == 1) return tls;
    const int error = SSL_get_error(tls.get(), done);
    if (error == SSL_ERROR_WANT_READ) {
      WaitFor(fd, POLLIN, deadline, "starting TLS");
    } else if (error == SSL_ERROR_WANT_WRITE) {
      WaitFor(fd, POLLOUT, deadline, "starting TLS");
    } else {
      const long verified = SSL_get_verify_result(tls.get());
      Fail(HttpFailure::kTls,
           verified != X509_V_OK ? X509_verify_cert_error_string(verified) : "handshake: " + TlsErrors());
    }
  }
}

// --- URLs

bool IsUrlCharacter(char c) {
  return c > ' ' && c < '\x7f';
}

bool IsHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

// Where a Location leads. None if it is neither an absolute URL nor an absolute path: relative references, which servers
// hardly send, are not followed.
std::optional<HttpUrl> RedirectTarget(const HttpUrl& base, std::string_view location) {
  if (location.starts_with("//")) {
    return ParseHttpUrl((base.is_https ? "https:" : "http:") + std::string(location));
  }
  if (location.starts_with('/')) {
    HttpUrl url = base;
    url.target = "/";
    return ParseHttpUrl(url.Text().substr(0, url.Text().size() - 1) + std::string(location));
  }
  return ParseHttpUrl(location);
}

// --- Proxies

std::string ProxyAuthorization(const HttpProxy& proxy) {
  if (proxy.user.empty() && proxy.password.empty()) return {};
  return "\r\nProxy-Authorization: Basic " +
         ToBase64(proxy.user + ":" + proxy.password, sodium_base64_VARIANT_ORIGINAL);
}

void WriteAll(int fd, std::string_view bytes, const OutboundDeadline& deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno != EAGAIN && errno != EINTR) {
      Fail(HttpFailure::kProxy, std::string("sending to the proxy: ") + std::strerror(errno));
    } else {
      WaitFor(fd, POLLOUT, deadline, "sending to the proxy");
    }
  }
}

// Reads exactly this many bytes: the following ones belong to the server behind the proxy.
std::string ReadExactly(int fd, std::size_t size, const OutboundDeadline& deadline) {
  std::string bytes(size, '\0');
  for (std::size_t got = 0; got < size;) {
    const ssize_t more = recv(fd, bytes.data() + got, size - got, 0);
    if (more == 0) Fail(HttpFailure::kProxy, "the proxy has closed the connection");
    if (more > 0) {
      got += static_cast<std::size_t>(more);
    } else if (errno != EAGAIN && errno != EINTR) {
      Fail(HttpFailure::kProxy, std::string("receiving from the proxy: ") + std::strerror(errno));
    } else {
      WaitFor(fd, POLLIN, deadline, "receiving from the proxy");
    }
  }
  return bytes;
}

std::string PortBytes(int port) {
  return {static_cast<char>(port >> 8), static_cast<char>(port & 0xff)};
}

void Tunnel(int fd, const HttpProxy& proxy, const HttpUrl& url, const OutboundDeadline& deadline) {
  const std::string host = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  const std::string authority = host + ":" + std::to_string(url.port);
  WriteAll(
      fd, "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + ProxyAuthorization(proxy) + "\r\n\r\n",
      deadline);
  constexpr std::size_t kMaxAnswer = 16 << 10;
  std::string answer;
  while (!answer.ends_with("\r\n\r\n")) {
    if (answer.size() > kMaxAnswer) Fail(HttpFailure::kProxy, "endless answer of the proxy");
    answer += ReadExactly(fd, 1, deadline);
  }
  const bool is_http = answer.starts_with("HTTP/1.") && answer.size() > 12;
  if (!is_http || answer[9] != '2')
    Fail(HttpFailure::kProxy,
         "the proxy answers " + answer.substr(0, std::min(answer.find('\r'), std::size_t{100})));
}

void LogInToSocks5(int fd, const HttpProxy& proxy, const OutboundDeadline& deadline) {
  constexpr std::size_t kMaxLogin = 255;
  const bool has_login = !proxy.user.empty() || !proxy.password.empty();
  WriteAll(fd, has_login ? std::string("\x05\x02\x00\x02", 4) : std::string("\x05\x01\x00", 3), deadline);
  const std::string method = ReadExactly(fd, 2, deadline);
  if (method[0] != 5) Fail(HttpFailure::kProxy, "no SOCKS 5");
  if (method[1] == 0) return;
  if (method[1] != 2 || !has_login || proxy.user.size() > kMaxLogin || proxy.password.size() > kMaxLogin)
    Fail(HttpFailure::kProxy, "the proxy wants another login");
  WriteAll(fd,
           std::string("\x01") + static_cast<char>(proxy.user.size()) + proxy.user +
               static_cast<char>(proxy.password.size()) + proxy.password,
           deadline);
  if (ReadExactly(fd, 2, deadline)[1] != 0) Fail(HttpFailure::kProxy, "the proxy refuses the login");
}

// `address`: of the server, where it is resolved here.
void ConnectBySocks5(int fd, const HttpProxy& proxy, const HttpUrl& url,
                     const std::optional<NetworkAddress>& address, const OutboundDeadline& deadline) {
  LogInToSocks5(fd, proxy, deadline);
  std::string request("\x05\x01\x00", 3);
  if (!address) {
    request += '\x03';
    request += static_cast<char>(url.host.size());  // at most 253, as ParseHttpUrl takes it
    request += url.host;
  } else {
    const auto* bytes = reinterpret_cast<const char*>(address->bytes.data());
    request += address->IsV4() ? '\x01' : '\x04';
    request += address->IsV4() ? std::string(bytes + 12, 4) : std::string(bytes, 16);
  }
  WriteAll(fd, request + PortBytes(url.port), deadline);
  const std::string answer = ReadExactly(fd, 4, deadline);
  if (answer[0] != 5 || answer[1] != 0)
    Fail(HttpFailure::kProxy, "the proxy cannot connect: code " + std::to_string(answer[1]));
  const std::size_t bound = answer[3] == 1   ? 4
                            : answer[3] == 4 ? 16
                                             : static_cast<unsigned char>(ReadExactly(fd, 1, deadline)[0]);
  ReadExactly(fd, bound + 2, deadline);
}

void ConnectBySocks4(int fd, const HttpProxy& proxy, const HttpUrl& url, const NetworkAddress& address,
                     const OutboundDeadline& deadline) {
  if (!address.IsV4()) Fail(HttpFailure::kProxy, "SOCKS 4 has no addresses of IPv6");
  const auto* bytes = reinterpret_cast<const char*>(address.bytes.data());
  WriteAll(fd,
           std::string("\x04\x01") + PortBytes(url.port) + std::string(bytes + 12, 4) + proxy.user +
               std::string(1, '\0'),
           deadline);
  const std::string answer = ReadExactly(fd, 8, deadline);
  if (answer[0] != 0 || answer[1] != 0x5a)
    Fail(HttpFailure::kProxy, "the proxy cannot connect: code " + std::to_string(answer[1]));
}

// --- Messages

bool IsFieldSafe(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != '\x7f'; });
}

// `proxy`: one of HTTP that is asked for the whole URL; null: none.
std::string Serialized(const HttpRequest& request, const HttpProxy* proxy) {
  bool has_encoding = false, has_agent = false,
       is_safe = !request.method.empty() && IsFieldSafe(request.method);
  std::string head = request.method + " " + (proxy != nullptr ? request.url.Text() : request.url.target) +
                     " HTTP/1.1\r\nHost: " + request.url.HostAndPort();
  if (proxy != nullptr) head += ProxyAuthorization(*proxy);
  for (const auto& [name, value] : request.headers) {
    has_encoding = has_encoding || LoweredAscii(name) == "accept-encoding";
    has_agent = has_agent || LoweredAscii(name) == "user-agent";
    is_safe = is_safe && !name.empty() && IsFieldSafe(name) && IsFieldSafe(value);
    head.append("\r\n").append(name).append(": ").append(value);
  }
  // The URL may not come from ParseHttpUrl.
  for (const std::string& part : {request.url.target, request.url.host})
    is_safe = is_safe && std::all_of(part.begin(), part.end(), IsUrlCharacter);
  if (!is_safe) throw Error(ErrorKind::kInternal, "internal", "a control character in a request");
  if (!has_encoding) head += "\r\nAccept-Encoding: gzip";
  if (!has_agent) head.append("\r\nUser-Agent: ").append(kUserAgent);
  if (!request.body.empty() || (request.method != "GET" && request.method != "HEAD"))
    head.append("\r\nContent-Length: ").append(std::to_string(request.body.size()));
  return head + "\r\n\r\n" + request.body;
}

class TextBody : public BodySource {
 public:
  explicit TextBody(std::string_view text) : text_(text) {}
  std::size_t Read(char* buffer, std::size_t size) override {
    const std::size_t got = text_.copy(buffer, size);
    text_.remove_prefix(got);
    return got;
  }

 private:
  std::string_view text_;
};

// `coding`: the header Content-Encoding.
std::string Expanded(std::string body, std::string_view coding, std::size_t limit) {
  const std::string name = LoweredAscii(coding);
  if (body.empty() || name.empty() || name == "identity") return body;
  if (name != "gzip" && name != "x-gzip")
    Fail(HttpFailure::kBadResponse, "unknown compression " + name.substr(0, 40));
  TextBody source(body);
  GzipReader reader(source, limit);
  std::string expanded, buffer(kReadBytes, '\0');
  try {
    while (const std::size_t got = reader.Read(buffer.data(), buffer.size())) expanded.append(buffer, 0, got);
  } catch (const Error& error) {
    Fail(error.kind() == ErrorKind::kTooLarge ? HttpFailure::kTooLarge : HttpFailure::kBadResponse,
         error.what());
  }
  return expanded;
}

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

using Parser = http::response_parser<http::string_body>;

// Gives the parser what is pending. False: it needs more bytes.
bool Parse(Parser& parser, std::string& pending) {
  if (pending.empty()) return false;
  // Stops behind the header: Beast 1.74 would go on with a body whose length is over the limit.
  parser.eager(parser.is_header_done());
  boost::system::error_code error;
  const std::size_t used = parser.put(boost::asio::const_buffer(pending.data(), pending.size()), error);
  pending.erase(0, used);
  if (error == http::error::header_limit || error == http::error::body_limit)
    Fail(HttpFailure::kTooLarge, error.message());
  if (error && error != http::error::need_more) Fail(HttpFailure::kBadResponse, error.message());
  return parser.is_done() || (used > 0 && !pending.empty());
}

HttpResponse ToResponse(http::response<http::string_body> message, std::size_t body_bytes) {
  HttpResponse response;
  response.status = static_cast<int>(message.result_int());
  for (const auto& field : message) {
    const auto name = field.name_string(), value = field.value();
    response.headers.emplace_back(LoweredAscii({name.data(), name.size()}),
                                  std::string(value.data(), value.size()));
  }
  response.body = Expanded(std::move(message.body()), response.Header("content-encoding"), body_bytes);
  return response;
}

}  // namespace

struct HttpClient::Connection {
  struct Received {
    HttpResponse response;
    bool can_go_on = false;  // the connection can take another request
  };

  HttpUrl url;
  FileDescriptor fd;
  TlsPtr tls{nullptr, SSL_free};

  void Send(std::string_view bytes, OutboundDeadline& deadline, milliseconds idle);
  /// The bytes that have arrived, at least one; 0 at the end. `deadline` must have a step.
  std::size_t Receive(char* buffer, std::size_t size, const OutboundDeadline& deadline);
  Received ReceiveAnswer(bool is_head, const HttpLimits& limits, OutboundDeadline& deadline);
  /// One message, interim or not. `pending`: what was received and not parsed; `all`: how many bytes were received.
  void ReceiveMessage(Parser& parser, const HttpLimits& limits, OutboundDeadline& deadline,
                      std::string& pending, std::size_t& all);
  /// No answer is pending between two requests, so a readable socket was closed.
  bool WasClosed() const {
    pollfd one{fd.get(), POLLIN, 0};
    return poll(&one, 1, 0) != 0;
  }
};

void HttpClient::Connection::Send(std::string_view bytes, OutboundDeadline& deadline, milliseconds idle) {
  while (!bytes.empty()) {
    deadline.Start(idle);
    ssize_t sent = 0;
    bool wants_read = false;
    if (tls != nullptr) {
      ERR_clear_error();
      std::size_t written = 0;
      const int done = SSL_write_ex(tls.get(), bytes.data(), bytes.size(), &written);
      const int error = done == 1 ? SSL_ERROR_NONE : SSL_get_error(tls.get(), done);
      if (error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        Fail(HttpFailure::kConnect, "sending: " + TlsErrors());
      wants_read = error == SSL_ERROR_WANT_READ;
      sent = static_cast<ssize_t>(written);
    } else {
      sent = send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR)
        Fail(HttpFailure::kConnect, std::string("sending: ") + std::strerror(errno));
    }
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else {
      WaitFor(fd.get(), wants_read ? POLLIN : POLLOUT, deadline, "sending");
    }
  }
}

std::size_t HttpClient::Connection::Receive(char* buffer, std::size_t size,
                                            const OutboundDeadline& deadline) {
  for (;;) {
    bool wants_write = false;
    if (tls != nullptr) {
      ERR_clear_error();
      std::size_t got = 0;
      const int done = SSL_read_ex(tls.get(), buffer, size, &got);
      if (done == 1) return got;
      const int error = SSL_get_error(tls.get(), done);
      if (error == SSL_ERROR_ZERO_RETURN) return 0;
      // Without TLS's close_notify an attacker may have truncated the answer.
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        Fail(HttpFailure::kBadResponse, "receiving: " + TlsErrors());
      wants_write = error == SSL_ERROR_WANT_WRITE;
    } else {
      const ssize_t got = recv(fd.get(), buffer, size, 0);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EAGAIN && errno != EINTR)
        Fail(HttpFailure::kBadResponse, std::string("receiving: ") + std::strerror(errno));
    }
    WaitFor(fd.get(), wants_write ? POLLOUT : POLLIN, deadline, "receiving");
  }
}

HttpClient::Connection::Received HttpClient::Connection::ReceiveAnswer(bool is_head, const HttpLimits& limits,
                                                                       OutboundDeadline& deadline) {
  std::string pending;
  std::size_t all = 0;
  for (;;) {
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes));
    parser.body_limit(limits.body_bytes);
    parser.skip(is_head);
    ReceiveMessage(parser, limits, deadline, pending, all);
    const int status = static_cast<int>(parser.get().result_int());
    if (status == 101) Fail(HttpFailure::kBadResponse, "another protocol");
    // Interim answers come before the answer.
    if (status < 200) continue;
    const bool can_go_on = parser.get().keep_alive() && !parser.get().need_eof() && pending.empty();
    return {ToResponse(parser.release(), limits.body_bytes), can_go_on};
  }
}

void HttpClient::Connection::ReceiveMessage(Parser& parser, const HttpLimits& limits,
                                            OutboundDeadline& deadline, std::string& pending,
                                            std::size_t& all) {
  std::string buffer(kReadBytes, '\0');
  while (!parser.is_done()) {
    if (Parse(parser, pending)) continue;
    deadline.Start(limits.idle);
    const std::size_t got = Receive(buffer.data(), buffer.size(), deadline);
    if (got == 0) {
      if (all == 0) Fail(HttpFailure::kConnect, "closed without an answer");
      // If the parser needs more bytes, a line is unfinished.
      if (!pending.empty() || !parser.got_some()) Fail(HttpFailure::kBadResponse, "ends too early");
      boost::system::error_code error;
      parser.put_eof(error);
      if (error) Fail(HttpFailure::kBadResponse, "ends too early: " + error.message());
      return;
    }
    all += got;
    if (all > limits.header_bytes + limits.body_bytes + kMoreWireBytes)
      Fail(HttpFailure::kTooLarge, "more bytes than header and body may have");
    pending.append(buffer, 0, got);
  }
}

// --- Public

std::string HttpUrl::HostAndPort() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (is_https ? 443 : 80) ? name : name + ":" + std::to_string(port);
}

std::string HttpUrl::Text() const {
  return (is_https ? "https://" : "http://") + HostAndPort() + target;
}

std::optional<HttpUrl> ParseHttpUrl(std::string_view text) {
  constexpr std::size_t kMaxBytes = 8'000, kMaxHost = 253;
  if (text.size() > kMaxBytes || !std::all_of(text.begin(), text.end(), IsUrlCharacter)) return std::nullopt;
  HttpUrl url;
  const auto colon = text.find("://");
  const std::string scheme = LoweredAscii(text.substr(0, std::min(colon, text.size())));
  if (colon == std::string_view::npos || (scheme != "http" && scheme != "https")) return std::nullopt;
  url.is_https = scheme == "https";
  text.remove_prefix(colon + 3);
  text = text.substr(0, text.find('#'));
  const auto path = std::min(text.find_first_of("/?"), text.size());
  std::string_view authority = text.substr(0, path);
  const std::string_view rest = text.substr(path);
  url.target = rest.starts_with('/') ? std::string(rest) : "/" + std::string(rest);
  // A backslash is a slash for some programs, and so a way to show one host and mean another.
  if (authority.find_first_of("@\\") != std::string_view::npos) return std::nullopt;
  url.port = url.is_https ? 443 : 80;
  const auto bracket = authority.find(']');
  const auto port = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (port != std::string_view::npos) {
    const std::string_view digits = authority.substr(port + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), url.port);
    if (error != std::errc() || end != digits.data() + digits.size() || url.port < 1 || url.port > 65535)
      return std::nullopt;
    authority = authority.substr(0, port);
  }
  url.host = LoweredAscii(authority);
  if (bracket != std::string_view::npos) {
    if (!authority.starts_with('[') || !ParseAddress(authority)) return std::nullopt;
    url.host = url.host.substr(1, url.host.size() - 2);
    return url;
  }
  if (url.host.empty() || url.host.size() > kMaxHost ||
      !std::all_of(url.host.begin(), url.host.end(), IsHostCharacter))
    return std::nullopt;
  return url;
}

std::string HttpProxy::Text() const {
  constexpr const char* kSchemes[] = {"http", "socks4", "socks5", "socks5h"};
  return std::string(kSchemes[static_cast<int>(kind)]) + "://" + (user.empty() ? "" : user + "@") + host +
         ":" + std::to_string(port);
}

std::optional<HttpProxy> ParseHttpProxy(std::string_view text) {
  constexpr std::pair<std::string_view, HttpProxy::Kind> kKinds[] = {
      {"http://", HttpProxy::Kind::kHttp},
      {"socks4://", HttpProxy::Kind::kSocks4},
      {"socks5://", HttpProxy::Kind::kSocks5},
      {"socks5h://", HttpProxy::Kind::kSocks5h}};
  HttpProxy proxy;
  const auto kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                 [&](const auto& row) { return text.starts_with(row.first); });
  if (kind == std::end(kKinds)) return std::nullopt;
  proxy.kind = kind->second;
  text.remove_prefix(kind->first.size());
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    const std::string_view login = text.substr(0, at);
    const auto colon = std::min(login.find(':'), login.size());
    try {
      proxy.user = PercentDecoded(login.substr(0, colon), /*plus_is_space=*/false);
      if (colon < login.size())
        proxy.password = PercentDecoded(login.substr(colon + 1), /*plus_is_space=*/false);
    } catch (const Error&) {
      return std::nullopt;
    }
    text.remove_prefix(at + 1);
  }
  const auto url = ParseHttpUrl("http://" + std::string(text));
  const bool has_port = text.rfind(':') != std::string_view::npos && !text.ends_with(']');
  if (!url || url->target != "/" || !has_port) return std::nullopt;
  proxy.host = url->host;
  proxy.port = url->port;
  return proxy;
}

std::string PercentEncoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
        c == '_' || c == '~') {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded.append("%").append({"0123456789ABCDEF"[byte >> 4], "0123456789ABCDEF"[byte & 15]});
    }
  }
  return encoded;
}

std::string_view HttpResponse::Header(std::string_view name) const {
  const auto found =
      std::find_if(headers.begin(), headers.end(), [&](const auto& header) { return header.first == name; });
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

const char* NameOf(HttpFailure failure) {
  switch (failure) {
    case HttpFailure::kConnect:
      return "connect";
    case HttpFailure::kTls:
      return "tls";
    case HttpFailure::kTimeout:
      return "timeout";
    case HttpFailure::kTooLarge:
      return "too_large";
    case HttpFailure::kRefusedAddress:
      return "refused_address";
    case HttpFailure::kBadResponse:
      return "bad_response";
    case HttpFailure::kRedirect:
      return "redirect";
    case HttpFailure::kProxy:
      return "proxy";
  }
  return "";
}

HttpError::HttpError(HttpFailure failure, const std::string& private_text)
    : Error(ErrorKind::kUpstream, std::string("upstream_") + NameOf(failure), private_text),
      failure_(failure) {}

HttpClient::HttpClient(std::string_view networks, std::optional<HttpProxy> proxy)
    : networks_(networks), proxy_(std::move(proxy)) {}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;

FileDescriptor HttpClient::ConnectedTo(const std::string& host, int port, bool is_proxy,
                                       const HttpLimits& limits, OutboundDeadline& deadline) const {
  const auto begin = Clock::now();
  const auto left = [&] {
    return limits.connect - std::chrono::duration_cast<milliseconds>(Clock::now() - begin);
  };
  deadline.Start(limits.connect);
  std::vector<NetworkAddress> addresses = Resolve(host, deadline);
  // The operator has chosen the proxy, so its address is not checked.
  if (!is_proxy) std::erase_if(addresses, [&](const NetworkAddress& one) { return !networks_.Allows(one); });
  if (addresses.empty()) Fail(HttpFailure::kRefusedAddress, host + " has no address that is allowed");
  if (addresses.size() > kMaxAddresses) addresses.resize(kMaxAddresses);
  for (auto address = addresses.begin();; ++address) {
    // Each address gets a share of the remaining time, so that one that does not answer leaves time for the
    // others.
    deadline.Start(left() / (addresses.end() - address));
    try {
      return ConnectTo(*address, port, deadline);
    } catch (const HttpError&) {
      if (address + 1 == addresses.end()) throw;
    }
  }
}

std::unique_ptr<HttpClient::Connection> HttpClient::Open(const HttpUrl& url, const HttpLimits& limits,
                                                         OutboundDeadline& deadline) const {
  const auto begin = Clock::now();
  std::unique_ptr<Connection> connection;
  if (!proxy_) {
    connection = std::make_unique<Connection>(
        Connection{url, ConnectedTo(url.host, url.port, false, limits, deadline)});
  } else {
    std::optional<NetworkAddress> address;
    if (proxy_->kind == HttpProxy::Kind::kSocks4 || proxy_->kind == HttpProxy::Kind::kSocks5) {
      deadline.Start(limits.connect);
      for (const NetworkAddress& one : Resolve(url.host, deadline)) {
        if (!address && networks_.Allows(one)) address = one;
      }
      if (!address) Fail(HttpFailure::kRefusedAddress, url.host + " has no address that is allowed");
    }
    connection = std::make_unique<Connection>(
        Connection{url, ConnectedTo(proxy_->host, proxy_->port, true, limits, deadline)});
    const int fd = connection->fd.get();
    // Not in what is left of the share of one of its addresses.
    deadline.Start(limits.connect - std::chrono::duration_cast<milliseconds>(Clock::now() - begin));
    if (proxy_->kind == HttpProxy::Kind::kSocks4) {
      ConnectBySocks4(fd, *proxy_, url, *address, deadline);
    } else if (proxy_->kind != HttpProxy::Kind::kHttp) {
      ConnectBySocks5(fd, *proxy_, url, address, deadline);
    } else if (url.is_https) {
      Tunnel(fd, *proxy_, url, deadline);
    }
  }
  if (url.is_https) {
    deadline.Start(limits.connect - std::chrono::duration_cast<milliseconds>(Clock::now() - begin));
    connection->tls = StartTls(connection->fd.get(), url.host, deadline);
  }
  return connection;
}

HttpResponse HttpClient::Send(const HttpRequest& original, const HttpLimits& limits, const Waiter& wait) {
  OutboundDeadline deadline(Clock::now() + limits.total, wait);
  HttpRequest request = original;
  const bool is_head = request.method == "HEAD";
  for (int redirects = 0;; ++redirects) {
    std::unique_ptr<Connection> connection = std::move(kept_);
    if (connection != nullptr && (!connection->url.HasOriginOf(request.url) || connection->WasClosed()))
      connection.reset();
    if (connection == nullptr) connection = Open(request.url, limits, deadline);
    const bool asks_proxy = proxy_ && proxy_->kind == HttpProxy::Kind::kHttp && !request.url.is_https;
    connection->Send(Serialized(request, asks_proxy ? &*proxy_ : nullptr), deadline, limits.idle);
    auto [response, can_go_on] = connection->ReceiveAnswer(is_head, limits, deadline);
    if (asks_proxy && response.status == 407) Fail(HttpFailure::kProxy, "the proxy refuses the login");
    if (can_go_on) kept_ = std::move(connection);
    if (!IsRedirect(response.status)) return std::move(response);

    const auto next = RedirectTarget(request.url, response.Header("location"));
    const bool may_follow = (is_head || request.method == "GET") && redirects < limits.redirects;
    if (!next || !may_follow || !next->HasOriginOf(request.url))
      Fail(HttpFailure::kRedirect, std::to_string(response.status) + " to " +
                                       (next ? next->Text().substr(0, 200) : std::string("nowhere")));
    request.url = *next;
  }
}

}  // namespace syncline
