// Any bytes as the body of an old client, with its boundary: refused, or an envelope within its bounds and data that do not
// depend on how the bytes arrive. The data is then expanded, if the form says that it is gzip.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "handlers/anki/envelope/envelope_wire.h"
#include "handlers/base/errors.h"
#include "handlers/base/gzip.h"
#include "handlers/base/utf8.h"
#include "tests/support/inputs.h"

using namespace syncline;
using namespace syncline::anki;
using tests::PieceBody;
using tests::StringSink;

namespace {

constexpr std::uint64_t kMostExpanded = 64 << 10;

std::string Expanded(const std::string& data, std::size_t piece, std::size_t buffer_size) {
  std::string out;
  try {
    PieceBody body(data, piece);
    GzipReader reader(body, kMostExpanded);
    out = tests::ReadAll(reader, buffer_size);
  } catch (const Error& error) {
    return error.code();
  }
  if (out.size() > kMostExpanded) std::abort();
  return out;
}

std::string Read(std::string_view text, std::size_t piece) {
  PieceBody body(std::string(text), piece);
  Request request;
  request.method = "POST";
  request.headers = {{"content-type", "multipart/form-data; boundary=b"}};
  request.body = &body;
  StringSink sink;
  try {
    const Form form = ReadForm(request, sink);
    const Envelope& envelope = form.envelope;
    if (envelope.version != kOldVersion || envelope.session.size() > 64 || envelope.key.size() > 256)
      std::abort();
    if (!IsStorableText(envelope.session) || !IsStorableText(envelope.client)) std::abort();
    if (form.is_gzip) {
      const std::string whole = Expanded(sink.text, SIZE_MAX, 4096);
      // How much is written before a limit or an error depends on the buffer, whether there is one does not.
      if (Expanded(sink.text, 1, 7) != whole && !whole.starts_with("bad_") && whole != "too_large")
        std::abort();
    }
    return envelope.key + "|" + envelope.session + "|" + envelope.client + "|" + sink.text;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kInternal) std::abort();
    return error.code();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string whole = Read(input, SIZE_MAX);
  if (Read(input, 1) != whole || Read(input, 13) != whole) std::abort();
  return 0;
}
