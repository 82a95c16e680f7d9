// See connection.h. Every failure throws: a benchmark that continues after an error measures nothing.
#include "tests/bench/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

namespace syncline::bench {
namespace {

constexpr std::size_t kClientChunkBytes = 4096;  // the size in which the client's stream reader sends
constexpr std::size_t kReceiveBytes = 256 * 1024;
constexpr int kClientZstdLevel = 3;

std::uint64_t Number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end == text.data()) throw std::runtime_error("no number: " + std::string(text));
  return value;
}

std::size_t Checked(std::size_t result) {
  if (ZSTD_isError(result)) throw std::runtime_error(std::string("zstd: ") + ZSTD_getErrorName(result));
  return result;
}

/// Decodes exactly one frame. Throws if bytes follow it; the client would stop reading there.
class FrameDecoder {
 public:
  explicit FrameDecoder(const Sink& sink) : sink_(sink) {}

  void Feed(std::string_view bytes) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    do {
      if (complete_ && in.pos < in.size) throw std::runtime_error("bytes after the zstd frame");
      ZSTD_outBuffer out{piece_.data(), piece_.size(), 0};
      complete_ = Checked(ZSTD_decompressStream(stream_.get(), &out, &in)) == 0;
      size_ += out.pos;
      sink_({piece_.data(), out.pos});
      full_ = out.pos == out.size;
    } while (in.pos < in.size || (full_ && !complete_));
  }
  bool Complete() const { return complete_; }
  std::uint64_t Size() const { return size_; }

 private:
  const Sink& sink_;
  std::unique_ptr<ZSTD_DStream, decltype(&ZSTD_freeDStream)> stream_{ZSTD_createDStream(), ZSTD_freeDStream};
  std::vector<char> piece_ = std::vector<char>(ZSTD_DStreamOutSize());
  std::uint64_t size_ = 0;
  bool complete_ = false;
  bool full_ = false;
};

class FrameEncoder {
 public:
  explicit FrameEncoder(Sink sink) : sink_(std::move(sink)) {
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kClientZstdLevel);
  }

  void Feed(std::string_view bytes, bool last) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    std::size_t left = 0;
    do {
      ZSTD_outBuffer out{piece_.data(), piece_.size(), 0};
      left = Checked(ZSTD_compressStream2(context_.get(), &out, &in, last ? ZSTD_e_end : ZSTD_e_continue));
      sink_({piece_.data(), out.pos});
    } while (last ? left != 0 : in.pos < in.size);
  }

 private:
  Sink sink_;
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context_{ZSTD_createCCtx(), ZSTD_freeCCtx};
  std::vector<char> piece_ = std::vector<char>(ZSTD_CStreamOutSize());
};

}  // namespace

Connection::Connection(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) throw std::runtime_error("the address must begin with http://");
  url.remove_prefix(kScheme.size());
  host_ = url.substr(0, url.find('/'));
}

Connection::Connection(Connection&& other) noexcept
    : host_(std::move(other.host_)),
      socket_(std::exchange(other.socket_, -1)),
      buffer_(std::move(other.buffer_)),
      used_(other.used_) {}

Connection::~Connection() {
  if (socket_ >= 0) close(socket_);
}

void Connection::Connect() {
  const auto colon = host_.find(':');
  if (colon == std::string::npos) throw std::runtime_error("the address needs a port");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(Number(std::string_view(host_).substr(colon + 1), 10)));
  if (inet_pton(AF_INET, host_.substr(0, colon).c_str(), &address.sin_addr) != 1) {
    throw std::runtime_error("not an IPv4 address: " + host_);
  }
  socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::system_error(errno, std::generic_category(), "connect to " + host_);
  }
  buffer_.clear();
  used_ = 0;
}

void Connection::Send(std::string_view bytes) {
  if (socket_ < 0) Connect();
  while (!bytes.empty()) {
    const auto sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) throw std::system_error(errno, std::generic_category(), "send");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool Connection::Fill() {
  if (used_ == buffer_.size()) {
    buffer_.clear();
    used_ = 0;
  }
  const auto old = buffer_.size();
  buffer_.resize(old + kReceiveBytes);
  const auto got = recv(socket_, buffer_.data() + old, kReceiveBytes, 0);
  buffer_.resize(old + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0) throw std::system_error(errno, std::generic_category(), "receive");
  return got > 0;
}

std::string Connection::Line() {
  std::size_t end;
  while ((end = buffer_.find("\r\n", used_)) == std::string::npos) {
    if (!Fill()) throw std::runtime_error("the server closed the connection inside an answer");
  }
  std::string line = buffer_.substr(used_, end - used_);
  used_ = end + 2;
  return line;
}

void Connection::Exactly(std::uint64_t length, const Sink& sink) {
  while (length > 0) {
    if (used_ == buffer_.size() && !Fill()) throw std::runtime_error("the server closed inside a body");
    const auto piece = std::min<std::uint64_t>(length, buffer_.size() - used_);
    sink(std::string_view(buffer_).substr(used_, piece));
    used_ += piece;
    length -= piece;
  }
}

void Connection::Body(std::uint64_t length, bool chunked, const Sink& sink) {
  if (!chunked) return Exactly(length, sink);
  while (const auto chunk = Number(Line(), 16)) {
    Exactly(chunk, sink);
    Line();
  }
  while (!Line().empty()) continue;  // trailers
}

int Connection::Receive(const Sink& payload) {
  const std::string first = Line();
  if (!first.starts_with("HTTP/1.1 ")) throw std::runtime_error("not HTTP/1.1: " + first);
  const int status = static_cast<int>(Number(std::string_view(first).substr(9), 10));

  std::uint64_t length = 0;
  std::optional<std::uint64_t> original_size;
  bool chunked = false, closing = false;
  for (std::string line = Line(); !line.empty(); line = Line()) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) throw std::runtime_error("not a header: " + line);
    const std::string name = line.substr(0, colon);
    const std::string value = line.substr(std::min(line.find_first_not_of(' ', colon + 1), line.size()));
    const auto is = [&name](const char* other) { return strcasecmp(name.c_str(), other) == 0; };
    if (is("content-length")) length = Number(value, 10);
    if (is("transfer-encoding")) chunked = strcasecmp(value.c_str(), "chunked") == 0;
    if (is("connection")) closing = strcasecmp(value.c_str(), "close") == 0;
    if (is("anki-original-size")) original_size = Number(value, 10);
  }

  if (status != 200) {
    Body(length, chunked, payload);
  } else {
    if (!original_size) throw std::runtime_error("an answer without anki-original-size");
    FrameDecoder decoder(payload);
    Body(length, chunked, [&decoder](std::string_view bytes) { decoder.Feed(bytes); });
    if (!decoder.Complete()) throw std::runtime_error("an answer without a whole zstd frame");
    if (decoder.Size() != *original_size) throw std::runtime_error("anki-original-size is wrong");
  }
  if (closing) close(std::exchange(socket_, -1));
  return status;
}

Answer Connection::Exchange(std::string_view request) {
  Answer answer;
  Send(request);
  answer.status = Receive([&answer](std::string_view piece) { answer.payload += piece; });
  return answer;
}

std::string RequestHead(const Connection& connection, std::string_view method, std::string_view header) {
  std::string head = "POST /sync/";
  head += method;
  head += " HTTP/1.1\r\nhost: " + connection.Host();
  head += "\r\nanki-sync: ";
  head += header;
  head += "\r\ncontent-type: application/octet-stream\r\naccept: */*\r\ntransfer-encoding: chunked\r\n\r\n";
  return head;
}

void AppendChunks(std::string_view body, std::string& out) {
  while (!body.empty()) {
    const auto piece = body.substr(0, kClientChunkBytes);
    char size[16];
    out.append(size, std::to_chars(size, size + sizeof size, piece.size(), 16).ptr);
    out.append("\r\n").append(piece).append("\r\n");
    body.remove_prefix(piece.size());
  }
}

std::string Pack(std::string_view json) {
  std::string frame;
  FrameEncoder encoder([&frame](std::string_view bytes) { frame += bytes; });
  // Begun before the end: with both in one call, zstd would write the length of the content into the frame.
  encoder.Feed(json, false);
  encoder.Feed({}, true);
  return frame;
}

void PackFile(const std::string& from, const std::string& to) {
  std::ifstream in(from, std::ios::binary);
  std::ofstream out(to, std::ios::binary | std::ios::trunc);
  if (!in || !out) throw std::runtime_error("cannot read " + from + " or write " + to);
  FrameEncoder encoder(
      [&out](std::string_view b) { out.write(b.data(), static_cast<std::streamsize>(b.size())); });
  std::vector<char> piece(1 << 20);
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())) || in.gcount() > 0) {
    encoder.Feed({piece.data(), static_cast<std::size_t>(in.gcount())}, false);
  }
  encoder.Feed({}, true);
  out.close();
  if (!out) throw std::runtime_error("cannot write " + to);
}

}  // namespace syncline::bench
