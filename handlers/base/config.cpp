#include "handlers/base/config.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <variant>

#include "handlers/base/setting.h"

namespace syncline {
namespace {

constexpr const char* kDefaultFile = "/etc/syncline/syncline.conf";
constexpr int kUsageExit = 64;  // EX_USAGE
constexpr std::size_t kMaxFileBytes = 1 << 20;

// What all programs need. Settings of a service are in its own settings.cpp.
constexpr Setting kSettings[] = {
    TextSetting<&Config::database_url>("database_url",
                                       "PostgreSQL, as a libpq address; put a password in a passfile"),
    TextSetting<&Config::redis_url>("redis_url",
                                    "Redis, unix:///path or redis://host:port; its data may be lost"),
    TextSetting<&Config::temp_dir>("temp_dir", "Folder for private temporary files"),
    TextSetting<&Config::database_disk>(
        "database_disk", "Folder on the disk of PostgreSQL's data, if that is on this machine"),
    NumberSetting<&Config::disk_reserve_mib>(
        "disk_reserve_mib", 0, 1 << 30,
        "MiB that large writes leave free on the disks of temp_dir and database_disk; 0: a twentieth of the "
        "disk, 256 to 1024 MiB"),
    TextSetting<&Config::metrics_dir>(
        "metrics_dir",
        "Folder in memory where the processes of this machine keep their counters for "
        "/metrics; empty: no counters are kept"),
    TextSetting<&Config::secret_file>(
        "secret_file",
        "File with the secret for all keys: openssl rand -hex 32; older secrets in further lines"),
    NumberSetting<&Config::slow_statement_ms>("slow_statement_ms", 0, 3'600'000,
                                              "Statements that take longer are logged; 0: all statements"),
    NumberSetting<&Config::statement_timeout_ms>(
        "statement_timeout_ms", 100, 3'600'000,
        "PostgreSQL cancels a statement after this many milliseconds"),
    NumberSetting<&Config::upkeep_hour>(
        "upkeep_hour", 0, 23, "Hour of the day, in local time, when collections and files are checked"),
    TextSetting<&Config::outbound_networks>(
        "outbound_networks",
        "Networks that outgoing connections may lead to besides public addresses: 10.1.0.0/16, fd00::/8"),
    TextSetting<&Config::log_level>("log_level", "Lowest level that is logged", "debug|info|warn|error"),
};

using Groups = std::span<const SettingGroup>;

const Setting* Find(std::string_view name, Groups services) {
  const auto find = [&](std::span<const Setting> settings) -> const Setting* {
    const auto found =
        std::find_if(settings.begin(), settings.end(), [&](const Setting& s) { return name == s.name; });
    return found == settings.end() ? nullptr : &*found;
  };
  const Setting* found = find(kSettings);
  for (auto group = services.begin(); found == nullptr && group != services.end(); ++group) {
    found = find(group->settings);
  }
  return found;
}

std::string Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(kBlank) - first + 1));
}

std::string OptionName(const Setting& setting) {
  std::string name = std::string("--") + setting.name;
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

std::string VariableName(const Setting& setting) {
  std::string name = std::string("SYNCLINE_") + setting.name;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return name;
}

/// Why `value` is invalid for this setting, or "".
std::string Problem(const Setting& setting, const std::string& value) {
  if (std::holds_alternative<std::int64_t& (*)(Config&)>(setting.field)) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size() || number < setting.min ||
        number > setting.max) {
      return std::string(setting.name) + " must be a number from " + std::to_string(setting.min) + " to " +
             std::to_string(setting.max);
    }
  } else if (setting.choices != nullptr) {
    if (value.empty() || value.find('|') != std::string::npos ||
        ("|" + std::string(setting.choices) + "|").find("|" + value + "|") == std::string::npos) {
      return std::string(setting.name) + " must be one of " + setting.choices;
    }
  }
  return "";
}

void Assign(const Setting& setting, const std::string& value, Config& config) {
  if (const auto* text = std::get_if<std::string& (*)(Config&)>(&setting.field)) {
    (*text)(config) = value;
  } else {
    std::get<std::int64_t& (*)(Config&)>(setting.field)(config) = std::stoll(value);
  }
}

// "password=..." as in libpq's key=value addresses, or in the query of a URL; the value may be quoted.
std::string WithoutPasswordKey(std::string address) {
  constexpr std::string_view kKey = "password=";
  for (auto at = address.find(kKey); at != std::string::npos; at = address.find(kKey, at)) {
    at += kKey.size();
    auto end = at;
    const bool is_quoted = end < address.size() && address[end] == '\'';
    if (is_quoted) {
      for (++end; end < address.size() && address[end] != '\''; ++end) {
        if (address[end] == '\\') ++end;
      }
      end = std::min(end + 1, address.size());
    } else {
      end = std::min(address.find_first_of(" \t&", at), address.size());
    }
    address.replace(at, end - at, "***");
  }
  return address;
}

std::string WithoutPassword(const std::string& with_key) {
  const std::string address = WithoutPasswordKey(with_key);
  const auto scheme = address.find("://");
  if (scheme == std::string::npos) return address;
  // The last one: a password may contain others.
  const auto at = address.rfind('@');
  const auto colon = address.find(':', scheme + 3);
  if (at == std::string::npos || at < scheme || colon > at) return address;
  return address.substr(0, colon + 1) + "***" + address.substr(at);
}

/// The file named on the command line or by SYNCLINE_CONFIG, which must exist (true); otherwise the default
/// file, which need not.
std::pair<std::string, bool> ConfigFile(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--config" && i + 1 < argc) return {argv[i + 1], true};
    if (argument.starts_with("--config=")) return {std::string(argument.substr(9)), true};
  }
  const char* variable = std::getenv("SYNCLINE_CONFIG");
  if (variable != nullptr && *variable != '\0') return {variable, true};
  return {kDefaultFile, false};
}

void ReadConfigFile(const std::string& path, bool required, Config& config, Groups services) {
  // A folder can be opened, but not read.
  std::ifstream file(path);
  if (!file || std::filesystem::is_directory(path)) {
    if (required) throw std::runtime_error("cannot read " + path);
    return;
  }
  // Bounded, because the path may be a device or a pipe.
  std::string text(kMaxFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxFileBytes) throw std::runtime_error(path + " is too long");
  try {
    ReadConfigText(text, config, services);
  } catch (const std::runtime_error& e) {
    throw std::runtime_error(path + ", " + e.what());
  }
}

}  // namespace

sql::Settings Config::DatabaseSettings(const std::string& application_name) const {
  sql::Settings settings;
  settings.url = database_url;
  settings.application_name = application_name;
  settings.statement_timeout = std::chrono::milliseconds(statement_timeout_ms);
  return settings;
}

void ReadConfigText(const std::string& text, Config& config, Groups services) {
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    const std::string content = Trimmed(line);
    if (content.empty() || content.front() == '#') continue;
    const std::string where = "line " + std::to_string(number) + ": ";
    const auto equals = content.find('=');
    if (equals == std::string::npos) throw std::runtime_error(where + "expected name = value");
    const std::string name = Trimmed(std::string_view(content).substr(0, equals));
    const std::string value = Trimmed(std::string_view(content).substr(equals + 1));
    const Setting* setting = Find(name, services);
    // Not ignored: a misspelt name would go unnoticed for months.
    if (setting == nullptr) throw std::runtime_error(where + "there is no setting " + name);
    if (const std::string problem = Problem(*setting, value); !problem.empty())
      throw std::runtime_error(where + problem);
    Assign(*setting, value, config);
  }
}

std::string PrintConfig(const Config& config, Groups services) {
  std::string out =
      "# Syncline. Every setting can also be given as an option (--database-url) or in the environment\n"
      "# (SYNCLINE_DATABASE_URL). A line that begins with # has no effect and shows the default.\n";
  // Copies, because the accessors of fields take a mutable Config.
  Config values = config, defaults;
  const auto value_of = [](Config& from, const Setting& setting) {
    if (const auto* text = std::get_if<std::string& (*)(Config&)>(&setting.field))
      return WithoutPassword((*text)(from));
    return std::to_string(std::get<std::int64_t& (*)(Config&)>(setting.field)(from));
  };
  const auto print = [&](std::span<const Setting> settings) {
    for (const Setting& setting : settings) {
      const std::string value = value_of(values, setting);
      out += std::string("\n# ") + setting.help + ".";
      if (setting.choices != nullptr) out += std::string(" One of ") + setting.choices + ".";
      if (setting.max != 0)
        out += " " + std::to_string(setting.min) + " to " + std::to_string(setting.max) + ".";
      out += std::string("\n") + (value == value_of(defaults, setting) ? "#" : "") + setting.name + " = " +
             value + "\n";
    }
  };
  print(kSettings);
  for (const SettingGroup& group : services) {
    if (group.settings.empty()) continue;
    out += std::string("\n# --- ") + group.service + "\n";
    print(group.settings);
  }
  return out;
}

void AddConfigOptions(CLI::App& app, Config& config, Groups services) {
  const auto add = [&](std::span<const Setting> settings, const std::string& heading) {
    for (const Setting& setting : settings) {
      CLI::Option* option = std::visit(
          [&](auto field) {
            return app.add_option(OptionName(setting), field(config), setting.help)->capture_default_str();
          },
          setting.field);
      option->envname(VariableName(setting))->group(heading);
      option->check([&setting](const std::string& value) { return Problem(setting, value); });
    }
  };
  add(kSettings, "Configuration");
  for (const SettingGroup& group : services) {
    add(group.settings, std::string("Configuration of ") + group.service);
  }
  // ParseOptions has already read it; CLI11 only has to know it.
  app.add_option_function<std::string>(
         "--config", [](const std::string&) {},
         std::string("Configuration file, name = value (") + kDefaultFile + ")")
      ->group("Configuration");
  app.add_flag_function(
         "--print-config", [](std::int64_t) {}, "Print the configuration as a file and exit")
      ->group("Configuration");
}

std::optional<int> ParseOptions(CLI::App& app, Config& config, Groups services, int argc, char** argv) {
  try {
    // The file first, so that the environment and the command line override it.
    const auto [path, required] = ConfigFile(argc, argv);
    ReadConfigFile(path, required, config, services);
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {
    return app.exit(e);  // --help
  } catch (const CLI::Error& e) {
    app.exit(e);
    return kUsageExit;
  } catch (const std::runtime_error& e) {
    std::cerr << e.what() << "\n";
    return kUsageExit;
  }
  if (app.count("--print-config") > 0) {
    std::cout << PrintConfig(config, services);
    return 0;
  }
  return std::nullopt;
}

}  // namespace syncline
