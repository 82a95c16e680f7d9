#pragma once
// Reads gzip (RFC 1952) as a stream with bounds, as zstd.h does for zstd. Left out on purpose: writing, and files of several
// members, which no client sends.
#include <cstdint>
#include <memory>

#include "handlers/base/request.h"

namespace syncline {

/// Expands exactly one member. Throws Error BadInput "bad_gzip" on garbage, a wrong checksum, a truncated member or bytes
/// after it; TooLarge "too_large" past `limit` bytes of output.
class GzipReader : public BodySource {
 public:
  GzipReader(BodySource& source, std::uint64_t limit);
  ~GzipReader() override;
  std::size_t Read(char* buffer, std::size_t size) override;

 private:
  struct State;
  BodySource& source_;
  std::uint64_t left_;
  std::unique_ptr<State> state_;
};

}  // namespace syncline
