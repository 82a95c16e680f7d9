#include "handlers/anki/full_sync_handlers.h"

#include "handlers/anki/envelope/answer.h"
#include "handlers/anki/file/full_sync_flow.h"
#include "handlers/anki/problem_flow.h"
#include "handlers/anki/settings.h"
#include "handlers/base/blobs.h"
#include "handlers/base/zstd.h"

namespace syncline::anki {
namespace {

constexpr std::string_view kAccepted = "OK";
constexpr int kDownloadCompression = 1;

// Clients show the text of a refusal only with status 200; otherwise they show the status number.
std::string UploadResult(Request& request, Context& context, const Envelope& envelope) {
  class NoBody : public BodySource {
    std::size_t Read(char*, std::size_t) override { return 0; }
  } none;
  try {
    if (envelope.version < kFirstZstdVersion) {
      const auto limit = static_cast<std::uint64_t>(context.config().Of<Settings>().max_collection_mib) << 20;
      const auto file = ContentOf(request, limit);
      ReceiveUpload(context, *file, UploadForm::kPlain, request.content_length, envelope.client);
    } else {
      ReceiveUpload(context, request.body != nullptr ? *request.body : none, UploadForm::kFrame,
                    request.content_length, envelope.client);
    }
    return std::string(kAccepted);
  } catch (const FileRefused& refused) {
    KeepRefusal(request, context, "file_refused", refused.what());
    return refused.what();
  } catch (const Error& e) {
    KeepRefusal(request, context, e);
    if (e.code() == "over_quota") return "Your storage on this server is full.";
    if (e.code() == "disk_full" || e.code() == "storage_unavailable") {
      return "This server's disk is nearly full. Nothing was changed. Please try again later, or ask its "
             "administrator.";
    }
    throw;
  }
}

}  // namespace

// POST /sync/upload -- the uploaded file becomes the collection. The old one is kept for history_days.
//
// Answers 200 "OK" once the file is committed; this ends any session of the account. A refused upload changes
// nothing and answers 200 with a message for the user. 400 for a body that is not a zstd frame.
Response PostUpload(Request& request, Context& context) {
  const Envelope& envelope = EnvelopeOf(request);
  return Answer(envelope, UploadResult(request, context, envelope));
}

// POST /sync/download -- the collection as a file. Ends any session of the account; creates an empty
// collection for an account without data.
//
// Most downloads are the uploaded frame itself; clients before version 11 get a file of schema 11, uncompressed and with its
// length, by which they show their progress. Answers 200, streamed.
Response PostDownload(Request& request, Context& context) {
  const Envelope& envelope = EnvelopeOf(request);
  EnsureCollection(context);
  context.Write<SessionStore>([](SessionStore& sessions) { sessions.End(); });
  if (envelope.version < kFirstZstdVersion) {
    const auto old = std::make_shared<Download>(PrepareOldDownload(context));
    return AnswerStream(envelope, old->bytes, [old](BodySink& sink) { old->file->ReadAll(sink); });
  }
  auto download = std::make_shared<Download>(PrepareDownload(context));
  const std::string bytes = std::to_string(download->bytes);
  return Response::Stream([download, &context](BodySink& sink) {
           if (download->file == nullptr) {
             context.WithDatabase([&](sql::Database& database) {
               ReadBlob(database, context.user(), kService, download->verbatim,
                        [&](std::string_view piece) { sink.Write(piece); });
             });
             return;
           }
           ZstdWriter zstd(sink, kDownloadCompression);
           download->file->ReadAll(zstd);
           zstd.Finish();
         })
      .With("anki-original-size", bytes);
}

}  // namespace syncline::anki
