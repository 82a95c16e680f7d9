// Any bytes as a form: refused, or fields within their limits that do not depend on how the bytes arrive, and
// that survive encoding and parsing again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "handlers/base/errors.h"
#include "handlers/base/form.h"
#include "handlers/base/utf8.h"
#include "tests/support/inputs.h"

using namespace syncline;
using tests::PieceBody;

namespace {

constexpr FormLimits kLimits{.fields = 20, .name_bytes = 30, .value_bytes = 100, .total_bytes = 1000};

// Returns the fields, encoded byte by byte, or the error code.
std::string Read(std::string_view text, std::size_t piece, FormLimits limits) {
  PieceBody body(std::string(text), piece);
  Request request;
  request.headers = {{"content-type", "application/x-www-form-urlencoded"}};
  request.body = &body;
  const auto encoded = [](const std::string& part) {
    std::string out;
    for (const unsigned char c : part)
      out.append("%").append({"0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15]});
    return out;
  };
  std::string all;
  try {
    for (const auto& [name, value] : ReadForm(request, limits)) {
      if (name.size() > limits.name_bytes || value.size() > limits.value_bytes || !IsUtf8(name) ||
          !IsUtf8(value) || value.find('\0') != std::string::npos)
        std::abort();
      all += encoded(name) + "=" + encoded(value) + "&";
    }
  } catch (const Error& error) {
    return error.code();
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string whole = Read(text, SIZE_MAX, kLimits);
  for (const std::size_t piece : {1, 3}) {
    // The amount read before a limit is hit may differ, but the first error may not.
    if (size <= kLimits.total_bytes && Read(text, piece, kLimits) != whole) std::abort();
  }
  if (whole.find('=') != std::string::npos && Read(whole, SIZE_MAX, {}) != whole) std::abort();
  return 0;
}
