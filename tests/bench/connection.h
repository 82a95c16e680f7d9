#pragma once
// The wire of the load generator: HTTP/1.1 over one kept-alive TCP connection, with requests and answers in
// the form of Anki's client of protocol v11 (reference of the protocol, sections 1.5, 2.2, 2.3).
//
// Our own implementation, because the generator shares the machine's cores with the server it measures: a
// blocking socket and prepared request bytes cost little. Left out on purpose: TLS, redirects, name
// resolution, retries.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace syncline::bench {

using Sink = std::function<void(std::string_view)>;

/// An answer; `payload` is the decompressed body.
struct Answer {
  int status = 0;
  std::string payload;
};

class Connection {
 public:
  /// `url` is http://IPV4:PORT. Connects at the first Send, and again after the server sent "Connection:
  /// close".
  explicit Connection(std::string_view url);
  Connection(Connection&& other) noexcept;
  ~Connection();

  void Send(std::string_view bytes);
  /// Reads one answer and passes its decompressed body to `payload` piece by piece; returns the status. For a
  /// status other than 200 the body is passed unchanged. Throws std::runtime_error if the client could not
  /// use the answer: no anki-original-size, a size other than announced, more or less than one zstd frame.
  int Receive(const Sink& payload);
  Answer Exchange(std::string_view request);

  const std::string& Host() const { return host_; }

 private:
  void Connect();
  bool Fill();
  std::string Line();
  void Body(std::uint64_t length, bool chunked, const Sink& sink);
  void Exactly(std::uint64_t length, const Sink& sink);

  std::string host_;  // IPV4:PORT
  int socket_ = -1;
  std::string buffer_;  // received bytes; those from used_ on are not yet consumed
  std::size_t used_ = 0;
};

/// The head of a request; `header` is the value of anki-sync. The body from AppendChunks follows.
std::string RequestHead(const Connection& connection, std::string_view method, std::string_view header);
/// Appends `body` in HTTP chunks of the client's size. An empty `body` adds nothing.
void AppendChunks(std::string_view body, std::string& out);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

/// One zstd frame made as a stream: like the client's, it does not contain the content size.
std::string Pack(std::string_view json);
/// The same for a file of any size. Throws std::runtime_error.
void PackFile(const std::string& from, const std::string& to);

}  // namespace syncline::bench
