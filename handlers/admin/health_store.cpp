#include "handlers/admin/health_store.h"

#include "sql/queries/admin.h"

namespace syncline::admin {

DatabaseHealth HealthStore::Ask() {
  const sql::Row row = tx_.One(sql::admin::database_health);
  return {row["version"].As<std::string>(),      row["now"].As<sql::Time>(),
          row["size_bytes"].As<std::int64_t>(),  row["data_directory"].As<std::optional<std::string>>(),
          row["connections"].As<std::int64_t>(), row["max_connections"].As<std::int64_t>()};
}

}  // namespace syncline::admin
