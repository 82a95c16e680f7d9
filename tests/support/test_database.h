#pragma once
// A real database for one test program: a clone of the migrated template, dropped at the end.
//
// SYNCLINE_TEST_DATABASE is a libpq URL of a server where this user may create databases;
// SYNCLINE_TEST_TEMPLATE names the template ("syncline_template" when unset), migrated with `syncline-admin
// migrate`. ./check sets up both. Without the variable the program fails with one sentence: a skipped store
// test proves nothing.
//
// Tests may contain SQL literals: these are queries about the state, not statements of the server.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/config.h"
#include "handlers/base/ids.h"
#include "sql/connection.h"

struct pg_conn;

namespace syncline::tests {

class TestDatabase {
 public:
  /// The database of this program; created by the first call, dropped when the program ends.
  static TestDatabase& Instance();
  ~TestDatabase();

  /// Of the clone, for sql::Database and Config::database_url.
  const std::string& url() const { return url_; }
  /// The settings a server's slot would use.
  sql::Settings settings() const;
  /// Applies SYNCLINE_SLOW_STATEMENT_MS of the environment; 0 logs every statement.
  Config config() const;

  /// Runs one or more statements in the text protocol, without the code under test; returns the rows of the
  /// last one as text, null as "NULL". Throws std::runtime_error.
  std::vector<std::vector<std::string>> Run(const std::string& text);
  /// The only field of the only row.
  std::string Value(const std::string& text);
  /// A new account with an unusable password.
  UserId AddUser(const std::string& name);
  /// Empties tables, and all tables that reference them.
  void Empty(const std::string& tables) { Run("TRUNCATE " + tables + " CASCADE"); }
  /// A separate connection for the test, to hold one side of a race half-way. Owned by the caller.
  std::unique_ptr<pg_conn, void (*)(pg_conn*)> Connect() const;

 private:
  TestDatabase();
  std::string name_;
  std::string url_;
};

/// Runs statements on a connection from Connect().
std::vector<std::vector<std::string>> RunOn(pg_conn* connection, const std::string& text);

/// Waits until `count` backends of this database wait for a lock, which forces a race without sleeping.
/// Throws after ten seconds.
void WaitForLockWaiters(TestDatabase& database, int count);

}  // namespace syncline::tests
