#include "handlers/anki/envelope/answer.h"

#include "handlers/anki/settings.h"
#include "handlers/base/errors.h"
#include "handlers/base/zstd.h"

namespace syncline::anki {

const Envelope& EnvelopeOf(Request& request) {
  if (const Envelope* kept = request.Kept<Envelope>()) return *kept;
  const auto header = request.Header("anki-sync");
  if (!header) throw BadInput("bad_envelope", "no anki-sync header");
  return request.Keep(ParseEnvelope(*header));
}

const Envelope& SessionEnvelopeOf(Request& request) {
  const Envelope& envelope = EnvelopeOf(request);
  if (envelope.session.empty()) throw BadInput("bad_envelope", "no session key");
  return envelope;
}

std::string MessageOf(Request& request, Context& context) {
  std::string message;
  if (request.body == nullptr) return message;
  const auto limit = static_cast<std::size_t>(context.config().Of<Settings>().max_message_mib) << 20;
  ZstdReader reader(*request.body, limit);
  char piece[16 << 10];
  while (const std::size_t got = reader.Read(piece, sizeof piece)) {
    if (message.size() + got > kLargeBytes && message.capacity() < limit) {
      context.TakeLargeTurn();
      // Reserved memory costs nothing until it is written to; growing in steps would hold the message twice.
      message.reserve(limit);
    }
    message.append(piece, got);
  }
  return message;
}

std::string SmallMessageOf(Request& request) {
  constexpr std::size_t kMaxBytes = 64 << 10;
  std::string message;
  if (request.body == nullptr) return message;
  ZstdReader reader(*request.body, kMaxBytes);
  char piece[4 << 10];
  while (const std::size_t got = reader.Read(piece, sizeof piece)) message.append(piece, got);
  return message;
}

Response Answer(const Envelope& envelope, std::string_view bytes) {
  if (envelope.version < kFirstZstdVersion) return Response::Bytes(std::string(bytes));
  return Response::Bytes(ZstdCompress(bytes)).With("anki-original-size", std::to_string(bytes.size()));
}

}  // namespace syncline::anki
