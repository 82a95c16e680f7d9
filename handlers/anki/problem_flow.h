#pragma once
// Stores a report when a request of a known device is refused, because the client's message ("400", "check
// database") explains nothing, and logs are rotated before users ask. A refusal means that the data is
// rejected and sending it again will not help. A session ended by another device, or a busy server, is not a
// refusal.
#include <string>
#include <string_view>

#include "handlers/base/context.h"
#include "handlers/base/errors.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::anki {

/// Reports a refusal, once per request. Never fails, and never changes the answer: a report that cannot be
/// written is lost. Call it before the session's staged rows are deleted. Nothing is written for an unknown
/// caller.
void KeepRefusal(Request& request, Context& context, std::string_view code, std::string_view why) noexcept;
/// The same for an error, if the error is a refusal.
void KeepRefusal(Request& request, Context& context, const Error& error) noexcept;

/// Bad input, too large, too much, or no room: the session of such a request ends.
bool IsRefusal(const Error& error);

/// A handler that reports what it refuses.
template <Response (*handler)(Request& request, Context& context)>
Response Reported(Request& request, Context& context) {
  try {
    return handler(request, context);
  } catch (const Error& error) {
    KeepRefusal(request, context, error);
    throw;
  }
}

}  // namespace syncline::anki
