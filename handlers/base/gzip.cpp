#include "handlers/base/gzip.h"

#define ZLIB_CONST
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

#include "handlers/base/errors.h"

namespace syncline {
namespace {

constexpr std::size_t kInputBytes = 32 << 10;
// The largest window that the format has, and gzip's header instead of zlib's.
constexpr int kGzipWindowBits = MAX_WBITS + 16;

Error Bad(const char* why) {
  return BadInput("bad_gzip", why);
}

}  // namespace

struct GzipReader::State {
  State() {
    if (inflateInit2(&stream, kGzipWindowBits) != Z_OK) throw std::bad_alloc();
  }
  ~State() { inflateEnd(&stream); }
  z_stream stream{};
  std::unique_ptr<char[]> input{new char[kInputBytes]};
  bool is_over = false;
};

GzipReader::GzipReader(BodySource& source, std::uint64_t limit)
    : source_(source), left_(limit), state_(std::make_unique<State>()) {}

GzipReader::~GzipReader() = default;

std::size_t GzipReader::Read(char* buffer, std::size_t size) {
  State& s = *state_;
  const auto room = static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
  s.stream.next_out = reinterpret_cast<Bytef*>(buffer);
  s.stream.avail_out = room;
  while (room > 0 && s.stream.avail_out == room) {
    if (s.is_over) {
      // A reader of the first member only would silently lose the second.
      if (s.stream.avail_in > 0 || source_.Read(s.input.get(), 1) != 0) throw Bad("bytes after the member");
      return 0;
    }
    if (s.stream.avail_in == 0) {
      s.stream.next_in = reinterpret_cast<const Bytef*>(s.input.get());
      s.stream.avail_in = static_cast<uInt>(source_.Read(s.input.get(), kInputBytes));
      if (s.stream.avail_in == 0) throw Bad("ends too early");
    }
    switch (inflate(&s.stream, Z_NO_FLUSH)) {
      case Z_STREAM_END:
        s.is_over = true;
        break;
      case Z_OK:
      case Z_BUF_ERROR:  // needs more input
        break;
      case Z_MEM_ERROR:
        throw std::bad_alloc();
      default:
        throw Bad(s.stream.msg != nullptr ? s.stream.msg : "not gzip");
    }
  }
  const std::size_t got = room - s.stream.avail_out;
  if (got > left_) throw TooLarge("too_large", "gzip output over its limit");
  left_ -= got;
  return got;
}

}  // namespace syncline
