#pragma once
// The authorizer: nginx asks it who sends a request before it takes the body (auth_request), so that a body of
// an unknown sender is never stored. Any pool can be the authorizer; in production `edge` is.
//
// A question is the request itself, without its body, with the param SYNCLINE_AUTHORIZE. It runs through the
// stages of its own route up to the login; then it is answered instead of handled:
//
//   204  the body may be taken. Syncline-User, Syncline-Device, Syncline-Roles tell who sends it; none of them
//        if the login comes later (the route is public or validates a body first, or the login is in the body,
//        see Dialect::has_login_in_body), or if the value of SYNCLINE_AUTHORIZE is "unnamed": such an
//        answer may be kept for a while (nginx/site.conf.in)
//   401, 403  refused: nginx passes these statuses on, and WWW-Authenticate
//   other     nginx knows no other refusal. Syncline-Refusal says what was wrong; nginx passes the request on
//             with it, unbuffered, and it is refused then, as its dialect does that
//
// nginx turns the answers into params of the request (nginx/site.conf.in): the same names, and
// SYNCLINE_SECONDS, the age of the request. No client can send these (fcgi_io.h).
#include <chrono>
#include <optional>
#include <string>

#include "handlers/base/context.h"
#include "handlers/base/errors.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::front {

bool IsQuestion(const Request& request);

/// 204, with the identity if there is one and the question asks for it.
Response Admission(const Request& question, const std::optional<Identity>& identity);

/// The value of Syncline-Refusal: status, code and seconds of Retry-After (0: none). Other headers of the
/// error are lost.
std::string RefusalText(const Error& error);

/// The error for which the authorizer refused the request. A malformed text gives Error Busy.
std::optional<Error> RefusalOf(const Request& request);

/// The identity from the authorizer. None: the authorizer was not asked, found nobody, or answered so long
/// ago that the key may have been revoked since. A body takes minutes on a slow line, and the request may
/// have waited for a slot, or been parked, for `waited`.
std::optional<Identity> AdmittedAs(const Request& request, std::chrono::milliseconds waited);

}  // namespace syncline::front
