#include "fcgi/gate.h"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "handlers/base/errors.h"

namespace syncline::front {
namespace {

constexpr unsigned char kVersion = 1, kBeginRequest = 1, kParams = 4, kStdin = 5;
constexpr unsigned kResponder = 1;
constexpr std::size_t kHeaderBytes = 8, kBeginBytes = 8, kMaxContent = 65535;
// Two nginx records: large bodies take few reads, small requests one.
constexpr std::size_t kBufferBytes = 128 << 10;

void AppendHeader(std::string& out, unsigned char type, unsigned id, std::size_t content) {
  const unsigned char header[kHeaderBytes] = {kVersion,
                                              type,
                                              static_cast<unsigned char>(id >> 8),
                                              static_cast<unsigned char>(id),
                                              static_cast<unsigned char>(content >> 8),
                                              static_cast<unsigned char>(content),
                                              0,
                                              0};
  out.append(reinterpret_cast<const char*>(header), sizeof(header));
}

}  // namespace

bool ArePairs(const std::string& pairs) {
  std::size_t at = 0;
  // A length is one byte, or four with the highest bit of the first set.
  const auto take_length = [&](std::size_t& length) {
    if (at >= pairs.size()) return false;
    const auto byte = [&](std::size_t i) { return std::size_t{static_cast<unsigned char>(pairs[at + i])}; };
    if (byte(0) < 0x80) {
      length = byte(0);
      at += 1;
      return true;
    }
    if (pairs.size() - at < 4) return false;
    length = (byte(0) & 0x7f) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
    at += 4;
    return true;
  };
  while (at < pairs.size()) {
    std::size_t name = 0, value = 0;
    if (!take_length(name) || !take_length(value)) return false;
    if (name > pairs.size() - at || value > pairs.size() - at - name) return false;
    at += name + value;
  }
  return true;
}

Gate::Gate() : buffer_(kBufferBytes) {}

void Gate::Open(int connection) {
  connection_ = connection;
  begin_ = end_ = 0;
  head_.clear();
  content_left_ = padding_left_ = 0;
  body_ended_ = broken_ = false;
  may_wait_ = true;
}

bool Gate::Fill() {
  ssize_t got;
  do {
    got = recv(connection_, buffer_.data(), buffer_.size(), may_wait_ ? 0 : MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return false;
  begin_ = 0;
  end_ = static_cast<std::size_t>(got);
  return true;
}

bool Gate::Take(std::string& out, std::size_t size) {
  while (size > 0) {
    if (begin_ == end_ && !Fill()) return false;
    const std::size_t piece = std::min(size, end_ - begin_);
    out.append(buffer_.data() + begin_, piece);
    begin_ += piece;
    size -= piece;
  }
  return true;
}

bool Gate::Skip(std::size_t size) {
  while (size > 0) {
    if (begin_ == end_ && !Fill()) return false;
    const std::size_t piece = std::min(size, end_ - begin_);
    begin_ += piece;
    size -= piece;
  }
  return true;
}

bool Gate::TakeHeader(Record& record) {
  std::string header;  // short enough to need no allocation
  if (!Take(header, kHeaderBytes)) return false;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(header[i]); };
  record = {byte(1), unsigned{byte(2)} << 8 | byte(3), std::size_t{byte(4)} << 8 | byte(5), byte(6)};
  return byte(0) == kVersion;
}

bool Gate::ReadHead() {
  Record record{};
  std::string begin, pairs;
  if (!TakeHeader(record) || record.type != kBeginRequest || record.id == 0 || record.content != kBeginBytes)
    return false;
  id_ = record.id;
  if (!Take(begin, kBeginBytes) || !Skip(record.padding)) return false;
  if (begin[0] != 0 || begin[1] != kResponder) return false;
  for (;;) {
    if (!TakeHeader(record) || record.type != kParams || record.id != id_) return false;
    if (pairs.size() + record.content > kMaxHeadBytes) return false;
    if (!Take(pairs, record.content) || !Skip(record.padding)) return false;
    if (record.content == 0) break;
  }
  if (!ArePairs(pairs)) return false;
  begin[2] = 0;  // no keep-alive, even if the peer asks for it
  AppendHeader(head_, kBeginRequest, id_, kBeginBytes);
  head_ += begin;
  static_assert(kMaxHeadBytes <= kMaxContent);
  if (!pairs.empty()) AppendHeader(head_, kParams, id_, pairs.size());
  head_ += pairs;
  AppendHeader(head_, kParams, id_, 0);
  return true;
}

std::size_t Gate::ReadBody(char* buffer, std::size_t size) {
  std::size_t filled = 0;
  const auto check = [this](bool ok) {
    broken_ = broken_ || !ok;
    if (broken_) throw BadInput("body_cut", "the web server ended the body early");
  };
  check(true);
  while (filled < size && !body_ended_) {
    if (content_left_ == 0) {
      // The padding of the previous record.
      check(Skip(std::exchange(padding_left_, 0)));
      Record record{};
      check(TakeHeader(record) && record.type == kStdin && record.id == id_);
      content_left_ = record.content;
      padding_left_ = record.padding;
      body_ended_ = record.content == 0;
      continue;
    }
    if (begin_ == end_) check(Fill());
    const std::size_t piece = std::min({size - filled, content_left_, end_ - begin_});
    std::memcpy(buffer + filled, buffer_.data() + begin_, piece);
    begin_ += piece;
    content_left_ -= piece;
    filled += piece;
  }
  return filled;
}

bool Gate::EndsNow() {
  may_wait_ = false;
  char trash[4096];
  try {
    while (!body_ended_) ReadBody(trash, sizeof(trash));
  } catch (const Error&) {
  }
  return body_ended_;
}

}  // namespace syncline::front
