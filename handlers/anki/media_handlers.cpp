#include "handlers/anki/media_handlers.h"

#include <memory>

#include "handlers/anki/envelope/answer.h"
#include "handlers/anki/media/media_flow.h"
#include "handlers/anki/media/media_store.h"
#include "handlers/anki/media/media_wire.h"
#include "handlers/anki/problem_flow.h"

namespace syncline::anki {
namespace {

// As upstream. A client asks again until it gets none.
constexpr int kChangesAtOnce = 1000;

// kMaxMediaFiles names of the greatest length, each byte written as an escape.
constexpr std::size_t kMaxNamesBytes = 256 << 10;

Response Begin(const Envelope& envelope, Context& context) {
  const MediaHead head = context.ReadOnce<MediaStore>([](MediaStore& media) { return media.Head(); });
  return Answer(envelope, MediaBeginReply(head.last_usn, envelope.key));
}

// Clients show the text of a refusal only with status 200.
std::string UploadReply(Request& request, Context& context) {
  try {
    const auto zip = ContentOf(request, kMaxMediaZipBytes);
    const TakenMedia taken = TakeMedia(context, *zip, request.content_length.value_or(0));
    return MediaUploadReply(taken.processed, taken.usn);
  } catch (const Error& e) {
    KeepRefusal(request, context, e);
    if (e.code() == "over_quota") {
      return MediaRefusal(
          "Your storage on this server is full: new media files are not uploaded. Your cards go on syncing.");
    }
    if (e.code() == "disk_full" || e.code() == "storage_unavailable") {
      return MediaRefusal(
          "This server's disk is nearly full: new media files are not uploaded. Please try again later, or "
          "ask "
          "its administrator.");
    }
    throw;
  }
}

}  // namespace

// POST /msync/begin -- the account's last media usn, for clients that do not read it from meta.
//
// `sk` is the device's key, which old clients send with the next calls. Their version is in the envelope. Answers 200; 400
// without a client version.
Response PostMediaBegin(Request& request, Context& context) {
  const Envelope& envelope = EnvelopeOf(request);
  const bool has_told_version = envelope.version < kFirstZstdVersion && !envelope.client.empty();
  if (!has_told_version && ParseMediaBegin(SmallMessageOf(request)).empty())
    throw BadInput("bad_json", "no client version");
  return Begin(envelope, context);
}

// GET /msync/begin?k=KEY&v=VERSION -- the same, as clients of 2019 to 2022 ask.
Response GetMediaBegin(Request& request, Context& context) {
  return Begin(EnvelopeOf(request), context);
}

// POST /msync/mediaChanges -- the changes since a usn, at most 1000 files, oldest change first.
//
// A client that has a usn of another server gets everything. Answers 200.
Response PostMediaChanges(Request& request, Context& context) {
  const Envelope& envelope = EnvelopeOf(request);
  const MediaUsn since = ParseMediaChanges(SmallMessageOf(request));
  const auto changes = context.ReadOnce<MediaStore>(
      [&](MediaStore& media) { return media.ChangesSince(since, kChangesAtOnce); });
  return Answer(envelope, MediaChangesReply(changes));
}

// POST /msync/uploadChanges -- a zip of files and deletions, applied atomically.
//
// Answers 200 with the number of files and the last usn, or with a text for the user if there is no room; 400 for a zip or a
// name that is refused, as a whole.
Response PostUploadChanges(Request& request, Context& context) {
  const Envelope& envelope = EnvelopeOf(request);
  return Answer(envelope, UploadReply(request, context));
}

// POST /msync/downloadFiles -- a zip of the first requested files, up to the one that exceeds 2.5 MiB.
//
// Answers 200, streamed; 409 if one of them does not exist: the client then starts over.
Response PostDownloadFiles(Request& request, Context& context) {
  const Envelope& envelope = EnvelopeOf(request);
  const auto names = ParseMediaDownload(SmallMessageOf(request, kMaxNamesBytes));
  const auto download = std::make_shared<MediaDownload>(context, names);
  return AnswerStream(envelope, download->bytes(), [download](BodySink& sink) { download->Write(sink); });
}

// POST /msync/mediaSanity -- whether the client has as many files as the account.
//
// If not, the client forgets what it has synced, and compares all files by their hashes at its next sync. Answers 200.
Response PostMediaSanity(Request& request, Context& context) {
  const Envelope& envelope = EnvelopeOf(request);
  const std::int64_t theirs = ParseMediaSanity(SmallMessageOf(request));
  const MediaHead head = context.ReadOnce<MediaStore>([](MediaStore& media) { return media.Head(); });
  return Answer(envelope, MediaSanityReply(theirs == head.files));
}

}  // namespace syncline::anki
