// Any bytes as a zstd frame: refused, or expanded within the limit. And any bytes survive compression.
#include "handlers/base/zstd.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "handlers/base/errors.h"
#include "tests/support/inputs.h"

using namespace syncline;
using tests::PieceBody;
using tests::StringSink;

namespace {

constexpr std::uint64_t kLimit = 1 << 20;

std::string Expanded(std::string_view frame, std::size_t piece) {
  PieceBody source(std::string(frame), piece);
  ZstdReader reader(source, kLimit);
  return tests::ReadAll(reader, 4096);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = data[0] % 64 + 1;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    if (Expanded(bytes, piece).size() > kLimit) std::abort();
  } catch (const Error& error) {
    if (error.code() != "bad_zstd" && error.code() != "too_large") std::abort();
  }
  if (Expanded(ZstdCompress(bytes), piece) != bytes) std::abort();
  StringSink sink;
  ZstdWriter writer(sink, 1);
  for (std::size_t at = 0; at < bytes.size(); at += piece) writer.Write(bytes.substr(at, piece));
  writer.Finish();
  if (Expanded(sink.text, 1 << 16) != bytes) std::abort();
  return 0;
}
