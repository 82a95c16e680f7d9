// handlers/base/config: one table of settings for file, environment, options and output.
#include "handlers/base/config.h"

#include <stdlib.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "handlers/anki/settings.h"
#include "handlers/services.h"

using namespace syncline;

namespace {

std::string MistakeIn(const std::string& text) {
  Config config;
  try {
    ReadConfigText(text, config, AllSettings());
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "";
}

std::optional<int> Parse(Config& config, std::vector<std::string> arguments) {
  CLI::App app("test");
  const auto settings = AllSettings();
  AddConfigOptions(app, config, settings);
  arguments.insert(arguments.begin(), "test");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return ParseOptions(app, config, settings, static_cast<int>(argv.size()), argv.data());
}

struct File {
  explicit File(const std::string& text)
      : path(std::filesystem::temp_directory_path() / ("syncline_config_test." + std::to_string(getpid()))) {
    std::ofstream(path) << text;
  }
  ~File() { std::filesystem::remove(path); }
  const std::filesystem::path path;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_file_sets_only_the_settings_it_names) {
  Config config;
  ReadConfigText("# a comment\n\n history_days=7\r\ndatabase_url = postgresql:///a?b=c#d \nlog_level = warn",
                 config, AllSettings());
  BOOST_TEST(config.Of<anki::Settings>().history_days == 7);
  BOOST_TEST(config.database_url == "postgresql:///a?b=c#d");
  BOOST_TEST(config.log_level == "warn");
  BOOST_TEST(config.Of<anki::Settings>().session_minutes == anki::Settings().session_minutes);
}

BOOST_AUTO_TEST_CASE(an_error_in_a_file_names_its_line) {
  BOOST_TEST(MistakeIn("\nhistory_day = 7") == "line 2: there is no setting history_day");
  BOOST_TEST(MistakeIn("history_days") == "line 1: expected name = value");
  BOOST_TEST(MistakeIn("history_days = 7x").find("line 1: history_days must be a number") == 0u);
  BOOST_TEST(MistakeIn("history_days = -1").find("line 1: history_days must be a number") == 0u);
  BOOST_TEST(MistakeIn("history_days =").find("line 1: history_days must be a number") == 0u);
  BOOST_TEST(MistakeIn("log_level = loud").find("line 1: log_level must be one of") == 0u);
  BOOST_TEST(MistakeIn("log_level = info|warn").find("line 1: log_level must be one of") == 0u);
}

BOOST_AUTO_TEST_CASE(options_override_environment_and_environment_overrides_file) {
  const File file("history_days = 1\nsession_minutes = 1\nmax_collection_mib = 1\n");
  setenv("SYNCLINE_SESSION_MINUTES", "2", 1);
  setenv("SYNCLINE_MAX_COLLECTION_MIB", "2", 1);
  Config config;
  BOOST_TEST(!Parse(config, {"--config", file.path, "--max-collection-mib", "3"}).has_value());
  unsetenv("SYNCLINE_SESSION_MINUTES");
  unsetenv("SYNCLINE_MAX_COLLECTION_MIB");
  BOOST_TEST(config.Of<anki::Settings>().history_days == 1);
  BOOST_TEST(config.Of<anki::Settings>().session_minutes == 2);
  BOOST_TEST(config.Of<anki::Settings>().max_collection_mib == 3);
}

BOOST_AUTO_TEST_CASE(errors_on_the_command_line_end_the_program) {
  Config config;
  BOOST_TEST(Parse(config, {"--history-days", "many"}).value() == 64);
  BOOST_TEST(Parse(config, {"--history-days", "-1"}).value() == 64);
  BOOST_TEST(Parse(config, {"--nonsense"}).value() == 64);
  BOOST_TEST(Parse(config, {"--config", "/no/such/file"}).value() == 64);
  BOOST_TEST(Parse(config, {"--config", "/"}).value() == 64);
  BOOST_TEST(Parse(config, {"--config", "/dev/zero"}).value() == 64);
  BOOST_TEST(!Parse(config, {"--config", "/dev/null"}).has_value());
  BOOST_TEST(Parse(config, {"--help"}).value() == 0);
}

BOOST_AUTO_TEST_CASE(the_printed_configuration_reads_back_the_same) {
  Config config;
  config.Of<anki::Settings>().history_days = 7;
  config.temp_dir = "/a b";
  Config again;
  ReadConfigText(PrintConfig(config, AllSettings()), again, AllSettings());
  BOOST_TEST(again.Of<anki::Settings>().history_days == 7);
  BOOST_TEST(again.temp_dir == "/a b");
  BOOST_TEST(PrintConfig(again, AllSettings()) == PrintConfig(config, AllSettings()));
}

BOOST_AUTO_TEST_CASE(a_password_in_an_address_is_not_printed) {
  Config config;
  config.database_url = "postgresql://ann:s3cret@db/syncline";
  BOOST_TEST(PrintConfig(config, AllSettings()).find("s3cret") == std::string::npos);
  BOOST_TEST(PrintConfig(config, AllSettings()).find("postgresql://ann:***@db/syncline") !=
             std::string::npos);
  config.database_url = "postgresql://ann:p@rt@s3cret@db/syncline";
  BOOST_TEST(PrintConfig(config, AllSettings()).find("postgresql://ann:***@db/syncline") !=
             std::string::npos);
  for (const char* address : {"host=db password=s3cret dbname=x", "password='s3cret and \\'s3cret' dbname=x",
                              "dbname=x password=s3cret", "postgresql://db/x?password=s3cret&user=ann"}) {
    config.database_url = address;
    BOOST_TEST_CONTEXT(address) {
      BOOST_TEST(PrintConfig(config, AllSettings()).find("s3cret") == std::string::npos);
      BOOST_TEST(PrintConfig(config, AllSettings()).find("password=***") != std::string::npos);
      BOOST_TEST(PrintConfig(config, AllSettings()).find("x") != std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(settings_of_a_service_are_printed_under_its_name) {
  Config config;
  config.Of<anki::Settings>().session_minutes = 3;
  const std::string text = PrintConfig(config, AllSettings());
  BOOST_TEST(text.find("# --- anki\n") != std::string::npos);
  BOOST_TEST(text.find("# --- anki\n") < text.find("session_minutes = 3\n"));
  BOOST_TEST(text.find("# --- anki\n") > text.find("log_level"));
  BOOST_TEST(text.find("# --- jobs") == std::string::npos);  // it has no settings
}

namespace {

struct Other {
  std::int64_t number = 5;
  std::string text = "five";
};

}  // namespace

BOOST_AUTO_TEST_CASE(each_service_has_its_own_settings_and_a_copy_has_copies_of_them) {
  Config config;
  const Config& seen = config;
  BOOST_TEST(seen.Of<Other>().number == 5);
  Other& other = config.Of<Other>();
  other.number = 6;
  config.Of<anki::Settings>().history_days = 7;
  BOOST_TEST(&other == &config.Of<Other>());
  Config copy = config;
  copy.Of<Other>().number = 8;
  BOOST_TEST(seen.Of<Other>().number == 6);
  BOOST_TEST(copy.Of<Other>().number == 8);
  BOOST_TEST(copy.Of<anki::Settings>().history_days == 7);
  BOOST_TEST(Config().Of<anki::Settings>().history_days == anki::Settings().history_days);
}

BOOST_AUTO_TEST_CASE(two_settings_of_one_name_are_refused) {
  // CLI11 refuses a second option of the same name.
  Config config;
  CLI::App app("test");
  const Setting twice[] = {NumberSetting<&Other::number>("log_level", 0, 9, "Twice")};
  const SettingGroup groups[] = {{"other", twice}};
  BOOST_CHECK_THROW(AddConfigOptions(app, config, groups), CLI::OptionAlreadyAdded);
}
