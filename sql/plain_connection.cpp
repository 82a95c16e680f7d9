#include "sql/plain_connection.h"

#include "sql/connect.h"

namespace syncline::sql {

PlainConnection::PlainConnection(const Settings& settings, const std::string& application_name)
    : connection_(Translated(
          [&] { return pqxx::connection(ConnectionString(settings, application_name, /*options=*/"")); })) {
#if PQXX_VERSION_MAJOR >= 7
  connection_.set_notice_handler([](pqxx::zview) {});
#endif
}

}  // namespace syncline::sql
