#pragma once
// The configuration: one table (config.cpp) of name, default, limits and one line of help for every setting.
// From it come the options, the environment variables (SYNCLINE_<NAME>), the file
// (/etc/syncline/syncline.conf, `name = value`),
// --help and --print-config. Secrets are never values here: a setting names the file that holds one.
#include <cstdint>
#include <string>

#include "sql/connection.h"

namespace syncline {

struct Config {
  std::string database_url = "postgresql:///syncline";  ///< libpq URI; a password goes into a passfile
  std::string redis_url = "unix:///run/redis/redis.sock";
  std::string temp_dir = "/var/tmp";       ///< private files while a collection is checked or built
  std::string secret_file;                 ///< 32 random bytes or more: keys are derived from it
  std::int64_t max_collection_mib = 2048;  ///< largest collection file, uncompressed
  std::int64_t history_days = 30;          ///< how long a replaced collection is kept
  std::int64_t session_minutes = 10;       ///< an Anki sync without a request for this long is over
  std::int64_t slow_statement_ms = 200;    ///< statements that took longer get a log line; 0: all
  std::int64_t statement_timeout_ms = 30'000;
  std::string log_level = "info";

  sql::Settings DatabaseSettings(const std::string& application_name) const;
};

}  // namespace syncline
