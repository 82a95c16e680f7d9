// The operator's connection string, with our additions, as libpq parses it.
#include <libpq-fe.h>

#include <boost/test/unit_test.hpp>
#include <map>
#include <memory>
#include <string>

#include "sql/connect.h"
#include "sql/connection.h"
#include "sql/errors.h"

using namespace syncline;

namespace {

// The connection string as parsed by libpq.
std::map<std::string, std::string> Parsed(const std::string& url, const std::string& options = "-c jit=off") {
  sql::Settings settings;
  settings.url = url;
  const std::string text = sql::ConnectionString(settings, "promises of 'us' \\ them", options);
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> parsed(
      PQconninfoParse(text.c_str(), nullptr), PQconninfoFree);
  BOOST_TEST_REQUIRE(parsed != nullptr);
  std::map<std::string, std::string> values;
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) values[option->keyword] = option->val;
  }
  return values;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_uri_and_a_list_of_keys_are_both_accepted) {
  for (const char* const url : {"postgresql://me@db.example:5433/sync%20line?sslmode=require",
                                "host=db.example port=5433 user=me dbname='sync line' sslmode=require"}) {
    auto values = Parsed(url);
    BOOST_TEST(values["host"] == "db.example");
    BOOST_TEST(values["port"] == "5433");
    BOOST_TEST(values["user"] == "me");
    BOOST_TEST(values["dbname"] == "sync line");
    BOOST_TEST(values["sslmode"] == "require");
  }
}

BOOST_AUTO_TEST_CASE(our_values_override_those_of_the_address) {
  auto values = Parsed("host=db application_name=other options='-c jit=on' connect_timeout=600");
  BOOST_TEST(values["application_name"] == "promises of 'us' \\ them");
  BOOST_TEST(values["client_encoding"] == "UTF8");
  BOOST_TEST(values["options"] == "-c jit=off");
  BOOST_TEST(values["connect_timeout"] == "3");
  BOOST_TEST(Parsed("options='-c jit=on'", "")["options"] == "-c jit=on");
}

BOOST_AUTO_TEST_CASE(a_silent_network_failure_is_detected) {
  auto values = Parsed("host=db");
  BOOST_TEST(std::stoi(values["keepalives_idle"]) +
                 std::stoi(values["keepalives_interval"]) * std::stoi(values["keepalives_count"]) <=
             30);
  BOOST_TEST(std::stoi(values["tcp_user_timeout"]) <= 30'000);
  // An operator may override it.
  BOOST_TEST(Parsed("host=db tcp_user_timeout=5000")["tcp_user_timeout"] == "5000");
}

BOOST_AUTO_TEST_CASE(an_invalid_address_throws_unavailable) {
  BOOST_CHECK_THROW(Parsed("host"), sql::Unavailable);
  BOOST_CHECK_THROW(Parsed("postgresql://[broken"), sql::Unavailable);
}
