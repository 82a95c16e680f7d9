#include "handlers/anki/envelope/answer.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "handlers/anki/settings.h"
#include "handlers/base/disk_reserve.h"
#include "handlers/base/errors.h"
#include "handlers/base/gzip.h"
#include "handlers/base/json.h"
#include "handlers/base/temp_file.h"
#include "handlers/base/zstd.h"

namespace syncline::anki {
namespace {

// Longer messages are expanded only after their session was found live. Messages of ordinary syncs are
// shorter.
constexpr std::size_t kUncheckedBytes = 64 << 10;
// Compressed size. A chunk of 250 notes with a page of text each has about this size.
constexpr std::size_t kLikelyLargeBytes = 128 << 10;
// A parsed value takes up to ten times the memory of its text, so many of them make a message large, too. A chunk has
// some 5,000.
constexpr std::size_t kManyValues = 100'000;
// Streamed data is mostly compressed already.
constexpr int kStreamCompression = 1;
// Data of a form that is kept in memory: as much as nginx keeps there.
constexpr std::size_t kKeptBytes = 256 << 10;

// The data of a form, as it is kept in its request.
struct FormData {
  std::string text;
  std::shared_ptr<TempFile> file{};  // if it is long; `text` is empty then
  bool is_gzip = false;
  bool IsEmpty() const { return text.empty() && file == nullptr; }
};

class FormSink : public BodySink {
 public:
  FormSink(FormData& data, Context& context) : data_(data), context_(context), disk_(context) {}
  void Write(std::string_view bytes) override {
    if (data_.file == nullptr && data_.text.size() + bytes.size() <= kKeptBytes) {
      data_.text += bytes;
      return;
    }
    if (data_.file == nullptr) {
      data_.file = std::make_shared<TempFile>(context_.config().temp_dir);
      data_.file->Write(std::exchange(data_.text, {}));
    }
    disk_.Wrote(bytes.size());
    data_.file->Write(bytes);
  }

 private:
  FormData& data_;
  Context& context_;
  DiskReserve disk_;
};

// The data of a form as a stream, up to a limit.
class DataSource : public BodySource {
 public:
  DataSource(const FormData& data, std::uint64_t limit) : data_(data), left_(limit) {}
  std::size_t Read(char* buffer, std::size_t size) override {
    const std::size_t got = data_.file != nullptr     ? data_.file->ReadAt(at_, buffer, size)
                            : at_ < data_.text.size() ? data_.text.copy(buffer, size, at_)
                                                      : 0;
    if (got > left_) throw TooLarge("too_large", "data over its limit");
    at_ += got;
    left_ -= got;
    return got;
  }

 private:
  const FormData& data_;
  std::uint64_t at_ = 0, left_;
};

class ExpandedData : public BodySource {
 public:
  ExpandedData(const FormData& data, std::uint64_t limit)
      : source_(data, UINT64_MAX), gzip_(source_, limit) {}
  std::size_t Read(char* buffer, std::size_t size) override { return gzip_.Read(buffer, size); }

 private:
  DataSource source_;
  GzipReader gzip_;
};

class NoData : public BodySource {
  std::size_t Read(char*, std::size_t) override { return 0; }
};

// Old clients leave out a message without arguments.
std::string OrNoArguments(Request& request, std::string message) {
  return message.empty() && request.Kept<FormData>() != nullptr ? "{}" : message;
}

}  // namespace

const Envelope& OpenEnvelope(Request& request, Context& context) {
  if (request.Kept<Envelope>() != nullptr || !HasForm(request)) return EnvelopeOf(request);
  FormData data;
  FormSink sink(data, context);
  Form form = ReadForm(request, sink);
  data.is_gzip = form.is_gzip;
  request.Keep(std::move(data));
  request.is_body_kept = true;
  return request.Keep(std::move(form.envelope));
}

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
  bool is_checked = false;
  const auto check_once = [&] {
    if (!std::exchange(is_checked, true)) require_session();
  };
  if (request.content_length.value_or(0) > kLikelyLargeBytes) {
    check_once();
    context.LeaveToLargePool();
  }
  const auto limit = static_cast<std::size_t>(context.config().Of<Settings>().max_message_mib) << 20;
  const auto content = ContentOf(request, limit);
  char piece[16 << 10];
  while (const std::size_t got = content->Read(piece, sizeof piece)) {
    // Most compression bombs are blanks. Clients send compact JSON.
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
  return OrNoArguments(request, std::move(message));
}

std::string SmallMessageOf(Request& request, std::size_t limit) {
  std::string message;
  const auto content = ContentOf(request, limit);
  char piece[4 << 10];
  while (const std::size_t got = content->Read(piece, sizeof piece)) message.append(piece, got);
  return OrNoArguments(request, std::move(message));
}

std::unique_ptr<BodySource> ContentOf(Request& request, std::uint64_t limit) {
  if (const FormData* form = request.Kept<FormData>()) {
    if (form->is_gzip && !form->IsEmpty()) return std::make_unique<ExpandedData>(*form, limit);
    return std::make_unique<DataSource>(*form, limit);
  }
  if (request.body == nullptr) return std::make_unique<NoData>();
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
