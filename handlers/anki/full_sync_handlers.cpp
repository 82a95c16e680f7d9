#include "handlers/anki/full_sync_handlers.h"

#include "handlers/anki/envelope/answer.h"
#include "handlers/anki/file/full_sync_flow.h"
#include "handlers/base/blobs.h"
#include "handlers/base/zstd.h"

namespace syncline::anki {
namespace {

constexpr std::string_view kAccepted = "OK";
constexpr int kDownloadCompression = 1;

// Clients show the text of a refusal; the status stays 200, or they would show a number instead.
std::string UploadResult(Request& request, Context& context, const Envelope& envelope) {
  class NoBody : public BodySource {
    std::size_t Read(char*, std::size_t) override { return 0; }
  } none;
  try {
    ReceiveUpload(context, request.body != nullptr ? *request.body : none, envelope.client);
    return std::string(kAccepted);
  } catch (const FileRefused& refused) {
    return refused.what();
  } catch (const Error& e) {
    if (e.code() != "over_quota") throw;
    return "Your storage on this server is full.";
  }
}

}  // namespace

// POST /sync/upload -- this file becomes the collection. The one it replaces is kept for the retention time.
//
// Answers 200 "OK" once the file is durable, or 200 with a sentence for the user and everything as it was;
// 400 for a body that is no zstd frame. Any session of the account is over.
Response PostUpload(Request& request, Context& context) {
  const Envelope& envelope = EnvelopeOf(request);
  return Answer(envelope, UploadResult(request, context, envelope));
}

// POST /sync/download -- the collection as a file; reads only, but for ending a session that is open.
//
// Most downloads are the very frame that was uploaded. Answers 200, streamed.
Response PostDownload(Request& request, Context& context) {
  EnvelopeOf(request);
  EnsureCollection(context);
  context.Write<SessionStore>([](SessionStore& sessions) { sessions.End(); });
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
