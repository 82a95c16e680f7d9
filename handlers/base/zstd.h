#pragma once
// Streaming zstd with limits: untrusted input never exceeds the caller's limits on output size and memory.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline {

/// Largest accepted window: the one that the format requires every decoder to support (levels up to 19 stay
/// within it). A larger one could take 2 GiB of memory for a few bytes.
inline constexpr int kMaxZstdWindowLog = 23;

/// Expands exactly one frame. Throws Error BadInput "bad_zstd" on garbage, a truncated frame, a second frame
/// or a window that is too large; TooLarge "too_large" past `limit` bytes of output.
class ZstdReader : public BodySource {
 public:
  ZstdReader(BodySource& source, std::uint64_t limit);
  ~ZstdReader() override;
  std::size_t Read(char* buffer, std::size_t size) override;

 private:
  struct State;
  BodySource& source_;
  std::uint64_t left_;
  std::unique_ptr<State> state_;
};

/// Compresses into one frame. Finish must be called.
class ZstdWriter : public BodySink {
 public:
  ZstdWriter(BodySink& sink, int level);
  ~ZstdWriter() override;
  void Write(std::string_view bytes) override;
  void Finish();

 private:
  struct State;
  void Pump(std::string_view bytes, bool is_end);
  BodySink& sink_;
  std::unique_ptr<State> state_;
};

/// One frame with its content size, for small bodies.
std::string ZstdCompress(std::string_view bytes, int level = 1);

}  // namespace syncline
