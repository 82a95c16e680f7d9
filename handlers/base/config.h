#pragma once
// The configuration: one table (config.cpp) of name, default, limits and one line of help for every setting.
// From it come the options (--database-url), the environment variables (SYNCLINE_DATABASE_URL), the file
// (/etc/syncline/syncline.conf, `database_url = value`), --help and --print-config, whose output is the
// sample file. An option wins over the environment, the environment over the file. Secrets are never values
// here: a setting names the file that holds one.
#include <cstdint>
#include <optional>
#include <string>

#include "sql/connection.h"

namespace CLI {
class App;
}

namespace syncline {

struct Config {
  std::string database_url = "postgresql:///syncline";  ///< libpq URI; a password goes into a passfile
  std::string redis_url = "unix:///run/redis/redis.sock";
  std::string temp_dir = "/var/tmp";       ///< private files while a collection is checked or built
  std::string secret_file;                 ///< keys are derived from it (seal.h)
  std::int64_t max_collection_mib = 2048;  ///< largest collection file, uncompressed
  /// Largest message of a sync, uncompressed. A row of a collection file may hold it twice (fields and the
  /// one sorted by), and neither SQLite nor PostgreSQL holds a GB.
  std::int64_t max_message_mib = 300;
  std::int64_t history_days = 30;        ///< how long a replaced collection is kept
  std::int64_t session_minutes = 10;     ///< an Anki sync without a request for this long is over
  std::int64_t slow_statement_ms = 200;  ///< statements that took longer get a log line; 0: all
  std::int64_t statement_timeout_ms = 30'000;
  std::string log_level = "info";

  sql::Settings DatabaseSettings(const std::string& application_name) const;
};

/// Adds an option for every setting, --config and --print-config. A program adds its own options to `app` as
/// well; those exist on its command line only, never in the file, which all programs share.
void AddConfigOptions(CLI::App& app, Config& config);

/// Reads file, environment and command line into `config`. Returns the exit code when the program is to end
/// at once: 0 after --help or --print-config, 64 after a mistake, which has been explained on standard error.
std::optional<int> ParseOptions(CLI::App& app, Config& config, int argc, char** argv);

/// The text of a configuration file into `config`. Throws std::runtime_error with the number of the line.
void ReadConfigText(const std::string& text, Config& config);

/// A commented file with the values of `config`; a password inside an address is blanked.
std::string PrintConfig(const Config& config);

}  // namespace syncline
