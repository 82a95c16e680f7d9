#include "handlers/anki/envelope/answer.h"

#include <memory>
#include <utility>

#include "handlers/anki/settings.h"
#include "handlers/base/disk_reserve.h"
#include "handlers/base/errors.h"
#include "handlers/base/json.h"
#include "handlers/base/zstd.h"

namespace syncline::anki {
namespace {

// Longer messages are not expanded before it is known that their session is live. Those of ordinary syncs are shorter.
constexpr std::size_t kUncheckedBytes = 64 << 10;
// Compressed. A chunk of 250 notes with a page of text each has as much.
constexpr std::size_t kLikelyLargeBytes = 128 << 10;
// A parsed value takes up to ten times the memory of its text, so many of them make a message large, too. A chunk has
// some 5,000.
constexpr std::size_t kManyValues = 100'000;
// What is streamed is mostly compressed already.
constexpr int kStreamCompression = 1;

}  // namespace

const Envelope& EnvelopeOf(Request& request) {
  if (const Envelope* kept = request.Kept<Envelope>()) return *kept;
  const auto header = request.Header("anki-sync");
  // Only the old form of the first media call is a GET.
  if (!header && request.method == "GET")
    return request.Keep(QueryEnvelope(request.Query("k"), request.Query("v")));
  if (!header) throw BadInput("bad_envelope", "no anki-sync header");
  return request.Keep(ParseEnvelope(*header));
}

const Envelope& SessionEnvelopeOf(Request& request) {
  const Envelope& envelope = EnvelopeOf(request);
  if (envelope.session.empty()) throw BadInput("bad_envelope", "no session key");
  return envelope;
}

std::string MessageOf(Request& request, Context& context, const std::function<void()>& require_session) {
  std::string message;
  if (request.body == nullptr) return message;
  bool is_checked = false;
  const auto check_once = [&] {
    if (!std::exchange(is_checked, true)) require_session();
  };
  if (request.content_length.value_or(0) > kLikelyLargeBytes) {
    check_once();
    context.LeaveToLargePool();
  }
  const auto limit = static_cast<std::size_t>(context.config().Of<Settings>().max_message_mib) << 20;
  ZstdReader reader(*request.body, limit);
  char piece[16 << 10];
  while (const std::size_t got = reader.Read(piece, sizeof piece)) {
    // Most bombs are blanks. Clients send compact JSON.
    if (message.empty() && piece[0] != '{') throw BadInput("bad_json", "the message is not an object");
    if (message.size() + got > kUncheckedBytes) check_once();
    if (message.size() + got > kLargeBytes && message.capacity() < limit) {
      DiskReserve(context).Require(static_cast<std::int64_t>(kLargeBytes));
      context.TakeLargeTurn();
      // Reserved memory costs nothing until it is written to; growing in steps would hold the message twice.
      message.reserve(limit);
    }
    message.append(piece, got);
  }
  if (message.size() > kUncheckedBytes && MayHoldMoreValuesThan(message, kManyValues))
    context.TakeLargeTurn();
  return message;
}

std::string SmallMessageOf(Request& request, std::size_t limit) {
  std::string message;
  if (request.body == nullptr) return message;
  ZstdReader reader(*request.body, limit);
  char piece[4 << 10];
  while (const std::size_t got = reader.Read(piece, sizeof piece)) message.append(piece, got);
  return message;
}

std::unique_ptr<BodySource> ContentOf(Request& request, std::uint64_t limit) {
  class NoBody : public BodySource {
    std::size_t Read(char*, std::size_t) override { return 0; }
  };
  if (request.body == nullptr) return std::make_unique<NoBody>();
  return std::make_unique<ZstdReader>(*request.body, limit);
}

Response Answer(const Envelope& envelope, std::string_view bytes) {
  if (envelope.version < kFirstZstdVersion) return Response::Bytes(std::string(bytes));
  return Response::Bytes(ZstdCompress(bytes)).With("anki-original-size", std::to_string(bytes.size()));
}

Response AnswerStream(const Envelope& envelope, std::uint64_t bytes, BodyStream write) {
  if (envelope.version < kFirstZstdVersion) return Response::Stream(std::move(write), bytes);
  return Response::Stream([write = std::move(write)](BodySink& sink) {
           ZstdWriter zstd(sink, kStreamCompression);
           write(zstd);
           zstd.Finish();
         })
      .With("anki-original-size", std::to_string(bytes));
}

}  // namespace syncline::anki
