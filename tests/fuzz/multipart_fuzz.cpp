// The first line as a Content-Type, the rest as the body: refused, or parts that do not depend on how the
// bytes arrive or are read, and that contain no delimiter.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/errors.h"
#include "handlers/base/header_values.h"
#include "handlers/base/multipart.h"
#include "handlers/base/utf8.h"
#include "tests/support/inputs.h"

using namespace syncline;
using tests::PieceBody;

namespace {

std::string Read(std::string_view type, std::string_view text, std::size_t piece, std::size_t buffer_size) {
  PieceBody body(std::string(text), piece);
  Request request;
  request.headers = {{"content-type", std::string(type)}};
  request.body = &body;
  std::string seen;
  std::vector<char> buffer(buffer_size);
  try {
    MultipartReader reader(request, {.parts = 10, .header_bytes = 500, .preamble_bytes = 50});
    const std::string delimiter = "\r\n--" + *ParseHeaderParameters(type)->Find("boundary");
    while (const auto part = reader.NextPart()) {
      if (!IsUtf8(part->name) || (part->filename && !IsUtf8(*part->filename))) std::abort();
      std::string content;
      while (const std::size_t got = reader.Read(buffer.data(), buffer.size()))
        content.append(buffer.data(), got);
      if (content.find(delimiter) != std::string::npos) std::abort();
      seen += "[" + part->name + "|" + part->filename.value_or("-") + "|" + part->content_type + "|" +
              content + "]";
    }
  } catch (const Error& error) {
    return seen + error.code();
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view type = input.substr(0, input.find('\n'));
  const std::string_view body = input.substr(std::min(size, type.size() + 1));
  const std::string whole = Read(type, body, SIZE_MAX, 4096);
  if (Read(type, body, 1, 4096) != whole || Read(type, body, SIZE_MAX, 1) != whole ||
      Read(type, body, 7, 3) != whole)
    std::abort();
  return 0;
}
