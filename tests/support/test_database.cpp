#include "tests/support/test_database.h"

#include <libpq-fe.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "sql/connect.h"
#include "sql/connection.h"
#include "sql/migrate.h"

namespace syncline::tests {
namespace {

using Connected = std::unique_ptr<PGconn, void (*)(PGconn*)>;

std::string Environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

// The server's URL with another database; the last of two values counts.
std::string WithDatabase(const std::string& url, const std::string& database) {
  return sql::ConnectionString({.url = url, .application_name = ""}, "syncline tests", "") +
         " dbname=" + database;
}

Connected Open(const std::string& url) {
  Connected connection(PQconnectdb(url.c_str()), PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection.get()));
  PQsetNoticeProcessor(
      connection.get(), [](void*, const char*) {}, nullptr);
  return connection;
}

std::string ServerUrl() {
  const std::string url = Environment("SYNCLINE_TEST_DATABASE", "");
  if (url.empty()) {
    throw std::runtime_error(
        "set SYNCLINE_TEST_DATABASE to a libpq URL of a PostgreSQL with a migrated syncline_template");
  }
  return url;
}

}  // namespace

std::vector<std::vector<std::string>> RunOn(pg_conn* connection, const std::string& text) {
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection, text.c_str()), PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    throw std::runtime_error(PQerrorMessage(connection) + text);
  }
  std::vector<std::vector<std::string>> rows;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    std::vector<std::string>& fields = rows.emplace_back();
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      fields.emplace_back(
          PQgetisnull(result.get(), row, column) != 0 ? "NULL" : PQgetvalue(result.get(), row, column));
    }
  }
  return rows;
}

TestDatabase& TestDatabase::Instance() {
  static TestDatabase database;
  return database;
}

TestDatabase::TestDatabase() : name_("syncline_test_" + std::to_string(getpid())) {
  const std::string server = ServerUrl();
  const std::string source = Environment("SYNCLINE_TEST_TEMPLATE", "syncline_template");
  const Connected connection = Open(server);
  // Left by a killed program with the same pid.
  RunOn(connection.get(), "DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
  RunOn(connection.get(), "CREATE DATABASE " + name_ + " TEMPLATE " + source);
  url_ = WithDatabase(server, name_);
  if (const auto problem = sql::SchemaProblem(settings())) {
    throw std::runtime_error("the template " + source + " does not match this build: " + *problem);
  }
}

TestDatabase::~TestDatabase() {
  try {
    RunOn(Open(ServerUrl()).get(), "DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
  } catch (const std::exception&) {
    // The server is removed after the test run anyway.
  }
}

sql::Settings TestDatabase::settings() const {
  sql::Settings settings;
  settings.url = url_;
  settings.application_name = "syncline-test";
  return settings;
}

Config TestDatabase::config() const {
  Config config;
  config.database_url = url_;
  config.slow_statement_ms =
      std::stoll(Environment("SYNCLINE_SLOW_STATEMENT_MS", std::to_string(config.slow_statement_ms).c_str()));
  return config;
}

std::vector<std::vector<std::string>> TestDatabase::Run(const std::string& text) {
  return RunOn(Connect().get(), text);
}

std::string TestDatabase::Value(const std::string& text) {
  const auto rows = Run(text);
  if (rows.size() != 1 || rows[0].size() != 1) throw std::runtime_error("not one value: " + text);
  return rows[0][0];
}

UserId TestDatabase::AddUser(const std::string& name) {
  return UserId{std::stoll(
      Value("INSERT INTO users (name, password_hash) VALUES ('" + name + "', 'none') RETURNING user_id"))};
}

Connected TestDatabase::Connect() const {
  return Open(url_);
}

void WaitForLockWaiters(TestDatabase& database, int count) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  const Connected connection = database.Connect();
  while (std::stoi(RunOn(connection.get(),
                         "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                         " AND wait_event_type = 'Lock'")[0][0]) < count) {
    if (std::chrono::steady_clock::now() > until)
      throw std::runtime_error("too few sessions wait for a lock");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace syncline::tests
