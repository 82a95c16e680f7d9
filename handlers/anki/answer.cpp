#include "handlers/anki/answer.h"

#include "handlers/base/errors.h"
#include "handlers/base/zstd.h"

namespace syncline::anki {
namespace {

// Real messages have at most some MiB: 250 notes. Whoever has larger notes still fits.
constexpr std::size_t kMaxMessageBytes = 32 << 20;

}  // namespace

Envelope EnvelopeOf(const Request& request) {
  const auto header = request.Header("anki-sync");
  if (!header) throw BadInput("bad_envelope", "no anki-sync header");
  return ParseEnvelope(*header);
}

Envelope SessionEnvelopeOf(const Request& request) {
  Envelope envelope = EnvelopeOf(request);
  if (envelope.session.empty()) throw BadInput("bad_envelope", "no session key");
  return envelope;
}

std::string MessageOf(Request& request) {
  std::string message;
  if (request.body == nullptr) return message;
  ZstdReader reader(*request.body, kMaxMessageBytes);
  char piece[16 << 10];
  while (const std::size_t got = reader.Read(piece, sizeof piece)) message.append(piece, got);
  return message;
}

Response Answer(const Envelope& envelope, std::string_view bytes) {
  if (envelope.version < kFirstZstdVersion) return Response::Bytes(std::string(bytes));
  return Response::Bytes(ZstdCompress(bytes)).With("anki-original-size", std::to_string(bytes.size()));
}

}  // namespace syncline::anki
