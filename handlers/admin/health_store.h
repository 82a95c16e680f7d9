#pragma once
// What the database reports about itself, for the doctor.
#include <cstdint>
#include <optional>
#include <string>

#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::admin {

struct DatabaseHealth {
  std::string version;
  sql::Time now;
  std::int64_t size_bytes = 0;
  std::optional<std::string> data_directory;  ///< on the database's machine; none: our role may not read it
  std::int64_t connections = 0;
  std::int64_t max_connections = 0;
};

class HealthStore {
 public:
  HealthStore(sql::Tx& tx, UserId /*none*/) : tx_(tx) {}
  DatabaseHealth Ask();

 private:
  sql::Tx& tx_;
};

}  // namespace syncline::admin
