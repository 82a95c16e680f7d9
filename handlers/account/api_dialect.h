#pragma once
// The dialect of Syncline's own API (/account/, /jobs/): for pages, scripts and curl.
//
// A login is a Bearer token or Basic with an app password. An error is {"code", "message", "request_id"}, and "problems"
// for input: [{"at": "/name", "in": "body", "code", "message"}], with a JSON Pointer (RFC 6901).
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "handlers/base/context.h"
#include "handlers/base/errors.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::account {

/// A public code and one sentence for people.
using CodeText = std::pair<std::string_view, std::string_view>;

/// For Dialect::authenticate: an access token in Bearer, or, for scripts, an app password in Basic.
std::optional<Identity> AuthenticateApi(Request& request, Context& context);

/// The text of a code: from `texts`, else the shared text, else the words of the code itself.
std::string ApiText(std::string_view code, std::span<const CodeText> texts);

/// For Dialect::render_error of a service with texts of its own, see ApiText. 422 for
/// invalid input in a body that could be read.
Response RenderApiError(const Error& error, const Request& request, std::span<const CodeText> texts);

}  // namespace syncline::account
