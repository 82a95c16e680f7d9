// The routes of Anki's sync and the dialect of its clients. nginx removes any prefix that users type after the
// server's name, so every path here begins with /sync/ or /msync/.
#include "handlers/anki/routes.h"

#include "handlers/account/api_dialect.h"
#include "handlers/account/login/login_flow.h"
#include "handlers/anki/envelope/answer.h"
#include "handlers/anki/full_sync_handlers.h"
#include "handlers/anki/media/media_flow.h"
#include "handlers/anki/media_handlers.h"
#include "handlers/anki/package_handlers.h"
#include "handlers/anki/problem_flow.h"
#include "handlers/anki/sender_store.h"
#include "handlers/anki/settings.h"
#include "handlers/anki/sync_handlers.h"

namespace syncline::anki {
namespace {

using namespace std::chrono_literals;

// Failing to remember must not fail the request, and it works on read-only routes. (LookUpKey touches a device likewise.)
void RememberSender(const Request& request, Context& context) {
  try {
    context.WithDatabase([&](sql::Database& database) {
      database.Write([&](sql::Tx& tx) { SenderStore(tx, UserId{}).Remember(request.remote_address); });
    });
  } catch (const Error&) {
  }
}

// The key travels in the anki-sync header or in a form, so this service checks it itself.
std::optional<Identity> Authenticate(Request& request, Context& context) {
  const Envelope& envelope = OpenEnvelope(request, context);
  const Identity identity = account::AuthenticateKey(context, envelope.key, "anki");
  if (envelope.version < kFirstZstdVersion) RememberSender(request, context);
  return identity;
}

// Never 403 without checking the key: it would make the client forget a valid one. On 503 it says "try
// again", and the first message of the next sync makes its network known.
bool HasLoginInBody(Request& request, Context& context) {
  if (!HasForm(request)) return false;
  const bool is_known = context.ReadOnce<SenderStore>(
      [&](SenderStore& senders) { return senders.Knows(request.remote_address); });
  if (!is_known) throw Busy("unknown_sender", "a large form from a network without a sync in the last hour");
  return true;
}

// 403 and never 401: on 403 a client forgets its key and asks for the password. No version-11 client reads
// the body of an error; it is for people with curl.
Response RenderError(const Error& error, const Request&) {
  // On 503 clients say "try again in a few minutes".
  const int status = error.kind() == ErrorKind::kUnauthenticated ? 403
                     : error.code() == "disk_full"               ? 503
                                                                 : StatusOf(error.kind());
  return Response::Text(status, std::to_string(status));
}

const Dialect kDialect{.service = "anki",
                       .authenticate = Authenticate,
                       .has_login_in_body = HasLoginInBody,
                       .render_error = RenderError};

// --- The API for packages: people, scripts and pages.

// The product's usual logins, or the key of a device in its own header.
std::optional<Identity> AuthenticateApi(Request& request, Context& context) {
  if (const auto identity = account::AuthenticateApi(request, context)) return identity;
  if (request.Header("anki-sync")) return Authenticate(request, context);
  return std::nullopt;
}

const Dialect kApiDialect{
    .service = "anki", .authenticate = AuthenticateApi, .render_error = RenderPackageError};

std::size_t MessageBytes(const Config& config) {
  return static_cast<std::size_t>(config.Of<Settings>().max_message_mib) << 20;
}
// One MiB more than the collection in it may have: what surrounds it in a form.
std::size_t PackageBytes(const Config& config) {
  return static_cast<std::size_t>(config.Of<Settings>().max_collection_mib + 1) << 20;
}
// Lists of deletions: one takes six bytes after compression.
constexpr std::size_t kDeletions = 256 << 10;
// nginx and the handler enforce the real limit, max_collection_mib, and answer with a message for the user.
constexpr std::size_t kFile = std::size_t{64} << 30;
// Clients give up after 30 s without a byte. A sync that waits for an import may need most of that.
constexpr auto kQuick = 25s;
constexpr auto kSlow = 600s;
// nginx waits as long for an answer.
constexpr auto kMedia = 300s;
// The limit as received: a zip, compressed once more. Incompressible data may become slightly larger.
constexpr std::size_t kMediaZip = kMaxMediaZipBytes + (1 << 20);

constexpr auto kRead = sql::Access::kRead;
constexpr auto kWrite = sql::Access::kWrite;

// Method, path, operation, auth, database access, body limit in bytes, deadline, handler, dialect.
const Route kRoutes[] = {
    {"POST", "/sync/hostKey", "anki.host_key", Auth::kPublic, kWrite, 64 << 10, kQuick, PostHostKey,
     &kDialect},
    {"POST", "/sync/meta", "anki.meta", Auth::kRequired, kRead, 64 << 10, kQuick, Reported<PostMeta>,
     &kDialect},
    {"POST", "/sync/start", "anki.start", Auth::kRequired, kWrite, kDeletions, kQuick, Reported<PostStart>,
     &kDialect},
    {"POST", "/sync/applyGraves", "anki.apply_graves", Auth::kRequired, kWrite, kDeletions, kQuick,
     Reported<PostApplyGraves>, &kDialect},
    {"POST", "/sync/applyChanges", "anki.apply_changes", Auth::kRequired, kWrite, MessageBytes, kQuick,
     Reported<PostApplyChanges>, &kDialect},
    {"POST", "/sync/chunk", "anki.chunk", Auth::kRequired, kWrite, 64 << 10, kQuick, Reported<PostChunk>,
     &kDialect},
    {"POST", "/sync/applyChunk", "anki.apply_chunk", Auth::kRequired, kWrite, MessageBytes, kQuick,
     Reported<PostApplyChunk>, &kDialect},
    {"POST", "/sync/sanityCheck2", "anki.sanity_check", Auth::kRequired, kWrite, 64 << 10, kQuick,
     Reported<PostSanityCheck2>, &kDialect},
    {"POST", "/sync/finish", "anki.finish", Auth::kRequired, kWrite, 64 << 10, kQuick, Reported<PostFinish>,
     &kDialect},
    {"POST", "/sync/abort", "anki.abort", Auth::kRequired, kWrite, 64 << 10, kQuick, Reported<PostAbort>,
     &kDialect},
    {"POST", "/sync/upload", "anki.upload", Auth::kRequired, kWrite, kFile, kSlow, Reported<PostUpload>,
     &kDialect},
    {"POST", "/sync/download", "anki.download", Auth::kRequired, kWrite, 64 << 10, kSlow,
     Reported<PostDownload>, &kDialect},
    {"POST", "/msync/begin", "anki.media_begin", Auth::kRequired, kRead, 64 << 10, kQuick,
     Reported<PostMediaBegin>, &kDialect},
    {"GET", "/msync/begin", "anki.media_begin_get", Auth::kRequired, kRead, 0, kQuick, GetMediaBegin,
     &kDialect},
    {"POST", "/msync/mediaChanges", "anki.media_changes", Auth::kRequired, kRead, 64 << 10, kQuick,
     Reported<PostMediaChanges>, &kDialect},
    {"POST", "/msync/uploadChanges", "anki.media_upload", Auth::kRequired, kWrite, kMediaZip, kMedia,
     Reported<PostUploadChanges>, &kDialect},
    {"POST", "/msync/downloadFiles", "anki.media_download", Auth::kRequired, kRead, 256 << 10, kMedia,
     Reported<PostDownloadFiles>, &kDialect},
    {"POST", "/msync/mediaSanity", "anki.media_sanity", Auth::kRequired, kRead, 64 << 10, kQuick,
     Reported<PostMediaSanity>, &kDialect},
    {"POST", "/api/sync/import/", "anki.import_package", Auth::kRequired, kWrite, PackageBytes, kSlow,
     PostImport, &kApiDialect},
    {"GET", "/api/sync/import/{id}", "anki.import_state", Auth::kRequired, kRead, 0, kQuick, GetImport,
     &kApiDialect},
    {"GET", "/api/sync/export/", "anki.export", Auth::kRequired, kWrite, 0, kSlow, GetExport, &kApiDialect},
};

}  // namespace

std::span<const Route> Routes() {
  return kRoutes;
}

}  // namespace syncline::anki
