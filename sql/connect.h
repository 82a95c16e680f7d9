#pragma once
// How connections are opened, whichever library opens them.
#include <string>

namespace syncline::sql {

struct Settings;

/// The address in `settings` and what we add to it, as a libpq key=value string. `application_name`, `options`
/// (server settings, "-c name=value ..."; none when empty), encoding and connect timeout replace what the
/// address says. TCP keepalives and timeouts are added unless the address has its own, so that a network that
/// silently goes away ends a connection within about half a minute. Throws Unavailable when the address cannot
/// be parsed.
std::string ConnectionString(const Settings& settings, const std::string& application_name,
                             const std::string& options);

}  // namespace syncline::sql
