#pragma once
// Errors in the form that clients of the timetable expect: those of Django REST framework with its Russian
// texts, plus three members that are always present, because the page and the scripts read `error`, and other
// clients `detail`:
//
//   {"error": "...", "detail": "...", "code": "role_missing"}
//   {"institute": ["..."], "error": "institute: ...", "detail": "...", "code": "int_parsing", "pointer": "/institute"}
//   {"non_field_errors": ["..."], "error": "...", "detail": "...", "code": "bad_login"}
//
// Left out on purpose: English texts, except those of the original, which clients may compare.
#include "handlers/base/errors.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::schedule {

/// For Dialect::render_error. 401 has `WWW-Authenticate: Bearer realm="api"`.
Response PrintError(const Error& error, const Request& request);

/// The same for the login. A refused login is a 400: the page answers any 401 with a refresh, then logs out.
Response PrintLoginError(const Error& error, const Request& request);
/// The same for the refresh of tokens: every refusal is a 401.
Response PrintRefreshError(const Error& error, const Request& request);

}  // namespace syncline::schedule
