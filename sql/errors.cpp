#include "sql/errors.h"

namespace syncline::sql {

void ThrowSqlState(std::string_view state, const std::string& text, const char* constraint) {
  if (state == "40001" || state == "40P01") throw Conflict(text);
  if (state.starts_with("23")) throw ConstraintViolated(text, constraint != nullptr ? constraint : "");
  // Terminated by an administrator, crash of another backend, idle too long: this connection is over.
  if (state == "57P01" || state == "57P02" || state == "57P05" || state == "25P03")
    throw ConnectionLost(text);
  // Timeouts, no resources, no connection, shutting down or starting up.
  if (state == "55P03") throw LockTimeout(text);
  if (state == "57014" || state.starts_with("53") || state.starts_with("08") || state == "57P03") {
    throw Unavailable(text);
  }
  throw Failure(text);
}

}  // namespace syncline::sql
