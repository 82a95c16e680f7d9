#pragma once
// Outgoing HTTP/1.1 (RFC 9112) to servers that may be slow, broken or hostile.
//
// Everything is bounded: each step in time, all of them together by a deadline, the header and the body in bytes, the
// body once more after decompression, redirects in number and to one origin. A host name is resolved, the addresses
// are checked (network.h), and the connection goes to a checked address: a name cannot resolve to something else in
// between. TLS is 1.2 or later; the certificate must be valid for the name in the URL.
//
// The sockets are ours, and Boost.Beast's parser reads the answer. cpp-httplib is no alternative, by its source (versions
// 0.11 and 0.18, those of Debian): it reads a header without any limit, has no deadline, decodes percent signs in header
// values (which changes an ETag), and takes a chunked body with a broken end for complete.
//
// Everything may go through a proxy that the operator has chosen. What the proxy connects to is its own decision: addresses
// are checked only if they are resolved here (SOCKS 4 and 5).
//
// Left out on purpose: cookies, HTTP/2, passwords in URLs, brotli, TLS to a proxy, and retries, which are up
// to the caller (upstream.h). Bodies are held in memory.
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "handlers/base/errors.h"
#include "handlers/base/file_descriptor.h"
#include "handlers/base/network.h"
#include "handlers/base/waiter.h"

namespace syncline {

/// An absolute http or https URL (RFC 3986), split. Everything is ASCII without control characters and blanks.
struct HttpUrl {
  bool is_https = true;
  std::string host;  ///< in lower case; an address of IPv6 without brackets
  int port = 443;
  std::string target = "/";  ///< path and query, percent-encoded, begins with '/'

  /// For the header Host: without the port if that is the default of the scheme.
  std::string HostAndPort() const;
  std::string Text() const;
  bool HasOriginOf(const HttpUrl& other) const {
    return is_https == other.is_https && host == other.host && port == other.port;
  }
};

/// None unless `text` is such a URL. A fragment is dropped; a user name is refused.
std::optional<HttpUrl> ParseHttpUrl(std::string_view text);
/// Percent-encodes everything but unreserved characters (RFC 3986, 2.3): for one value in a query or one name in a
/// path.
std::string PercentEncoded(std::string_view text);

/// A proxy of HTTP (RFC 9110, 9.3.6), SOCKS 4, or SOCKS 5 (RFC 1928, 1929). kSocks5h: the proxy resolves
/// names, as an HTTP proxy does.
struct HttpProxy {
  enum class Kind { kHttp, kSocks4, kSocks5, kSocks5h } kind = Kind::kHttp;
  std::string host;
  int port = 0;
  std::string user{}, password{};

  /// For logs: without the password.
  std::string Text() const;
};
/// "http://user:password@host:port", "socks4://...", "socks5://...", "socks5h://..."; user and password percent-encoded. None
/// for anything else.
std::optional<HttpProxy> ParseHttpProxy(std::string_view text);

struct HttpRequest {
  std::string method = "GET";
  HttpUrl url;
  /// Host, Content-Length, Connection and (unless given) Accept-Encoding and User-Agent are added. Names and values
  /// must not contain control characters.
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
};

struct HttpLimits {
  std::chrono::milliseconds connect{3'000};  ///< for resolving, for connecting to all addresses, for TLS
  std::chrono::milliseconds idle{10'000};    ///< without a byte in either direction
  std::chrono::milliseconds total{20'000};   ///< for everything, redirects included
  std::size_t header_bytes = 16 << 10;       ///< of status line and header fields together
  std::size_t body_bytes = 4 << 20;          ///< as received, and once more after decompression
  /// Followed for GET and HEAD only. Each redirect is another request, so use 0 for an upstream with a
  /// budget.
  int redirects = 3;
};

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  std::string body;                                          ///< decompressed

  /// The first one of that name (in lower case); "" if there is none.
  std::string_view Header(std::string_view name) const;
};

enum class HttpFailure {
  kConnect,         ///< unknown host name, connection refused, reset, or closed before the answer began
  kTls,             ///< no TLS, or a certificate that is not valid for the name
  kTimeout,         ///< one of HttpLimits
  kTooLarge,        ///< header or body
  kRefusedAddress,  ///< the name has no address that is allowed
  kBadResponse,     ///< not HTTP, broken off, a compression that is unknown or broken
  kRedirect,        ///< to another origin, without a valid target, or too many
  kProxy,           ///< the proxy refused the login or the target
};
/// "connect", "tls", "timeout", "too_large", "refused_address", "bad_response", "redirect", "proxy": for logs and rows.
const char* NameOf(HttpFailure failure);

/// Error Upstream, "upstream_" and the name of the failure. The private text has the details.
class HttpError : public Error {
 public:
  HttpError(HttpFailure failure, const std::string& private_text);
  HttpFailure failure() const { return failure_; }

 private:
  HttpFailure failure_;
};

class OutboundDeadline;

/// Keeps the connection of the last answer for the next request to the same origin. Not thread-safe. The process must
/// ignore SIGPIPE.
class HttpClient {
 public:
  /// `networks`: the setting outbound_networks (AllowedNetworks). Throws as that does.
  explicit HttpClient(std::string_view networks, std::optional<HttpProxy> proxy = std::nullopt);
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;

  /// Any status is an answer. Throws HttpError, and what `wait` throws; may be called again after that.
  HttpResponse Send(const HttpRequest& request, const HttpLimits& limits = {}, const Waiter& wait = {});

 private:
  struct Connection;
  std::unique_ptr<Connection> Open(const HttpUrl& url, const HttpLimits& limits,
                                   OutboundDeadline& deadline) const;
  FileDescriptor ConnectedTo(const std::string& host, int port, bool is_proxy, const HttpLimits& limits,
                             OutboundDeadline& deadline) const;
  AllowedNetworks networks_;
  std::optional<HttpProxy> proxy_;
  std::unique_ptr<Connection> kept_;
};

}  // namespace syncline
