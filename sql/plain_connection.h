#pragma once
// A libpqxx connection for one-off and waiting work: migrations, the schema check, LISTEN. Internal to sql/;
// nothing else includes libpqxx. Debian 12 has 6.4, Debian 13 has 7.10: only what is the same in both is
// used, except for the cases handled below.
#include <pqxx/pqxx>
#include <string>
#include <utility>

#include "sql/connection.h"
#include "sql/errors.h"

namespace syncline::sql {

/// Runs `work` and translates libpqxx's exceptions into our errors.
template <typename F>
auto Translated(F&& work) {
  try {
    return std::forward<F>(work)();
  } catch (const pqxx::in_doubt_error& e) {
    throw CommitUnknown(e.what());
  } catch (const pqxx::broken_connection& e) {
    throw ConnectionLost(e.what());
  } catch (const pqxx::sql_error& e) {
    ThrowSqlState(e.sqlstate(), e.what(), nullptr);
  } catch (const pqxx::failure& e) {
    throw Failure(e.what());
  }
}

class PlainConnection {
 public:
  /// Connects. Sets no statement timeouts. Throws Unavailable.
  PlainConnection(const Settings& settings, const std::string& application_name);
  pqxx::connection& operator*() { return connection_; }
  pqxx::connection* operator->() { return &connection_; }

 private:
  pqxx::connection connection_;
  // Keeps notices such as "terminating connection" out of our log.
#if PQXX_VERSION_MAJOR < 7
  pqxx::quiet_errorhandler quiet_{connection_};
#endif
};

}  // namespace syncline::sql
