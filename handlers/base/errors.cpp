#include "handlers/base/errors.h"

namespace syncline {

int StatusOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kBadInput:
      return 400;
    case ErrorKind::kUnauthenticated:
      return 401;
    case ErrorKind::kForbidden:
      return 403;
    case ErrorKind::kNotFound:
      return 404;
    case ErrorKind::kMethodNotAllowed:
      return 405;
    case ErrorKind::kConflict:
      return 409;
    case ErrorKind::kPreconditionFailed:
      return 412;
    case ErrorKind::kTooLarge:
      return 413;
    case ErrorKind::kUnsupportedMedia:
      return 415;
    case ErrorKind::kRangeNotSatisfiable:
      return 416;
    case ErrorKind::kUnprocessable:
      return 422;
    case ErrorKind::kLocked:
      return 423;
    case ErrorKind::kHttpsRequired:
      return 426;
    case ErrorKind::kPreconditionRequired:
      return 428;
    case ErrorKind::kTooMany:
      return 429;
    case ErrorKind::kUnsupported:
      return 501;
    case ErrorKind::kUpstream:
      return 502;
    case ErrorKind::kBusy:
      return 503;
    case ErrorKind::kStorageFull:
      return 507;
    case ErrorKind::kInternal:
      return 500;
  }
  return 500;
}

ErrorKind KindOf(int status) {
  for (int kind = 0; kind < static_cast<int>(ErrorKind::kInternal); ++kind) {
    if (StatusOf(static_cast<ErrorKind>(kind)) == status) return static_cast<ErrorKind>(kind);
  }
  return ErrorKind::kInternal;
}

}  // namespace syncline
