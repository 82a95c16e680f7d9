#pragma once
// Receives messages and builds answers, in the dialect of version 11.
#include <string>
#include <string_view>

#include "handlers/anki/envelope/envelope_wire.h"
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::anki {

/// The envelope of a request. Parsed once and kept in the request, for login and handler. Error BadInput
/// "bad_envelope".
const Envelope& EnvelopeOf(Request& request);

/// As EnvelopeOf, for methods that need a session. Error BadInput "bad_envelope" without a session key.
const Envelope& SessionEnvelopeOf(Request& request);

/// The expanded body of a message with rows or objects; a large one takes the turn (Context::TakeLargeTurn).
/// Error BadInput "bad_zstd", TooLarge past max_message_mib.
std::string MessageOf(Request& request, Context& context);
/// As MessageOf, for messages of a few values: TooLarge past 64 KiB. Some are read before any login.
std::string SmallMessageOf(Request& request);

/// An answer in the client's version: from 11 on one zstd frame and anki-original-size, else the plain bytes.
Response Answer(const Envelope& envelope, std::string_view bytes);

}  // namespace syncline::anki
