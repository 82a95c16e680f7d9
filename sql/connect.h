#pragma once
// Connection parameters, the same for libpq and libpqxx.
#include <string>

namespace syncline::sql {

struct Settings;

/// The address in `settings` plus our own parameters, as a libpq key=value string. `application_name`,
/// `options` (server settings, "-c name=value ..."; none if empty), encoding and connect timeout override the
/// address. TCP keepalives and timeouts are added unless the address sets them, so that a connection over a
/// dead network fails within about half a minute. Throws Unavailable if the address cannot be parsed.
std::string ConnectionString(const Settings& settings, const std::string& application_name,
                             const std::string& options);

}  // namespace syncline::sql
