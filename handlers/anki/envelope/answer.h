#pragma once
// How a message arrives and how an answer leaves, in the dialect of version 11.
#include <string>
#include <string_view>

#include "handlers/anki/envelope/envelope_wire.h"
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::anki {

/// The envelope of a request, which keeps it: the login and the handler parse it once. Error BadInput
/// "bad_envelope".
const Envelope& EnvelopeOf(Request& request);

/// As EnvelopeOf, for methods that belong to a session: the client must have named one.
const Envelope& SessionEnvelopeOf(Request& request);

/// The expanded body of a message that holds rows or objects; a large one waits for its turn. Error BadInput
/// "bad_zstd", TooLarge past max_message_mib.
std::string MessageOf(Request& request, Context& context);
/// As MessageOf, for messages of a few values: TooLarge past 64 KiB. Some of them come from anybody.
std::string SmallMessageOf(Request& request);

/// An answer as the version wants it: one zstd frame and anki-original-size, or the plain bytes.
Response Answer(const Envelope& envelope, std::string_view bytes);

}  // namespace syncline::anki
