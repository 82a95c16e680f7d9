#pragma once
// The configuration. Tables give every setting its name, limits and one line of help (setting.h): one table
// for what all programs need (config.cpp), and one for each service. All programs share one file, so each
// knows all tables. From them come the options (--database-url), the environment variables
// (SYNCLINE_DATABASE_URL), the file (/etc/syncline/syncline.conf, `database_url = value`), --help and
// --print-config, whose output is the sample file. An option overrides the environment, and the environment
// the file. Secrets are never values here: a setting names the file that holds one.
#include <any>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>

#include "sql/connection.h"

namespace CLI {
class App;
}

namespace syncline {

struct SettingGroup;

struct Config {
  std::string database_url = "postgresql:///syncline";  ///< libpq URI; a password goes into a passfile
  std::string redis_url = "unix:///run/redis/redis.sock";
  std::string temp_dir = "/var/tmp";     ///< for private temporary files
  std::string database_disk;             ///< a folder on PostgreSQL's disk (disk_reserve.h); empty: unknown
  std::int64_t disk_reserve_mib = 0;     ///< 0: a share of the disk (disk_reserve.h)
  std::string metrics_dir;               ///< counters of processes; empty: none are kept
  std::string secret_file;               ///< keys are derived from it (seal.h)
  std::int64_t slow_statement_ms = 200;  ///< statements that take longer are logged; 0: all
  std::int64_t statement_timeout_ms = 30'000;
  /// Networks that outgoing connections may lead to although they are not public (network.h): "10.1.0.0/16, fd00::/8".
  std::string outbound_networks;
  std::string log_level = "info";
  std::int64_t upkeep_hour = 4;  ///< local time; when daily jobs start

  sql::Settings DatabaseSettings(const std::string& application_name) const;

  /// The settings of a service, selected by the type of its struct; initially the defaults.
  template <typename Settings>
  const Settings& Of() const {
    for (const std::any& one : of_services_) {
      if (const auto* found = std::any_cast<Settings>(&one)) return *found;
    }
    static const Settings kDefaults{};
    return kDefaults;
  }
  /// To set them. The reference is valid as long as this Config.
  template <typename Settings>
  Settings& Of() {
    for (std::any& one : of_services_) {
      if (auto* found = std::any_cast<Settings>(&one)) return *found;
    }
    return *std::any_cast<Settings>(&of_services_.emplace_back(Settings{}));
  }

 private:
  std::deque<std::any> of_services_;
};

/// Adds an option for every setting, --config and --print-config. A program adds its own options to `app`;
/// those exist only on its command line, not in the file, which all programs share.
void AddConfigOptions(CLI::App& app, Config& config, std::span<const SettingGroup> services);

/// Reads file, environment and command line into `config`. Returns the exit code if the program must end at
/// once: 0 after --help or --print-config, 64 after an error, which was printed on standard error.
std::optional<int> ParseOptions(CLI::App& app, Config& config, std::span<const SettingGroup> services,
                                int argc, char** argv);

/// Parses the text of a configuration file into `config`. Throws std::runtime_error with the line number.
void ReadConfigText(const std::string& text, Config& config, std::span<const SettingGroup> services);

/// A commented file with the values of `config`, a service's settings under its name; passwords in addresses
/// are masked.
std::string PrintConfig(const Config& config, std::span<const SettingGroup> services);

}  // namespace syncline
