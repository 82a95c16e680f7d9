#pragma once
// Receives messages and builds answers, in the form that the client's version uses: a header and zstd from version 11 on,
// before that multipart forms with gzip, and plain answers.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "handlers/anki/envelope/envelope_wire.h"
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::anki {

/// The envelope of a request that may be a form, for the login and for routes without one. It reads a form
/// completely, before its sender is known, and keeps it in the request, long data in a temporary file. Error
/// as EnvelopeOf and ReadForm; StorageFull "disk_full".
const Envelope& OpenEnvelope(Request& request, Context& context);

/// The envelope of a request, parsed once and kept in the request. If that is in a form, OpenEnvelope must have read it.
/// Error BadInput "bad_envelope".
const Envelope& EnvelopeOf(Request& request);

/// As EnvelopeOf, for methods that need a session. Error BadInput "bad_envelope" without a session key.
const Envelope& SessionEnvelopeOf(Request& request);

/// The expanded body of a message with rows or objects. A large one (by its bytes or by its number of values) takes the
/// turn (Context::TakeLargeTurn); before, and before any longer one is expanded, `require_session` is called and throws
/// if the session is not live. Error BadInput "bad_zstd", "bad_gzip" or "bad_json", TooLarge past max_message_mib, StorageFull
/// "disk_full" for a large one while the disk is nearly full.
std::string MessageOf(Request& request, Context& context, const std::function<void()>& require_session);
/// As MessageOf, for messages without rows: TooLarge past `limit` bytes. Some are read before any login.
inline constexpr std::size_t kSmallMessageBytes = 64 << 10;
std::string SmallMessageOf(Request& request, std::size_t limit = kSmallMessageBytes);

/// The expanded body of a request that is not JSON. Reading throws Error BadInput "bad_zstd" or "bad_gzip", TooLarge past
/// `limit` bytes.
std::unique_ptr<BodySource> ContentOf(Request& request, std::uint64_t limit);

/// An answer in the client's version: from 11 on one zstd frame and anki-original-size, else the plain bytes.
Response Answer(const Envelope& envelope, std::string_view bytes);
/// As Answer, for `bytes` bytes that `write` writes.
Response AnswerStream(const Envelope& envelope, std::uint64_t bytes, BodyStream write);

}  // namespace syncline::anki
