// Every statement of the server is understood by PostgreSQL with the schema of this build: names, columns,
// types. A statement is prepared at its first use, so without this a mistake in a rare one waits for a user.
#include <libpq-fe.h>

#include <boost/test/unit_test.hpp>
#include <string>

#include "sql/queries/all_statements.h"
#include "tests/support/test_database.h"

using namespace syncline;
using tests::TestDatabase;

namespace {

using Result = std::unique_ptr<PGresult, void (*)(PGresult*)>;

// The text without the comments it begins with.
std::string_view Body(std::string_view text) {
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(" \n\t"), text.size()));
    if (!text.starts_with("--")) return text;
    text.remove_prefix(std::min(text.find('\n'), text.size()));
  }
}

// COPY cannot be prepared; it is begun and given up.
std::string CopyProblem(PGconn* connection, const sql::Statement& statement) {
  tests::RunOn(connection, "BEGIN");
  const Result begun(PQexec(connection, statement.text), PQclear);
  std::string problem;
  if (PQresultStatus(begun.get()) != PGRES_COPY_IN) {
    problem = PQerrorMessage(connection);
  } else {
    if (PQbinaryTuples(begun.get()) == 0) problem = "not FORMAT binary";
    PQputCopyEnd(connection, "given up");
  }
  while (const Result rest{PQgetResult(connection), PQclear}) {
  }
  tests::RunOn(connection, "ROLLBACK");
  return problem;
}

std::string Problem(PGconn* connection, const sql::Statement& statement) {
  if (Body(statement.text).starts_with("COPY")) return CopyProblem(connection, statement);
  const Result prepared(PQprepare(connection, statement.name, statement.text, 0, nullptr), PQclear);
  if (PQresultStatus(prepared.get()) != PGRES_COMMAND_OK) return PQresultErrorMessage(prepared.get());
  return {};
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_statement_can_be_prepared_on_the_schema_of_this_build) {
  const auto connection = TestDatabase::Instance().Connect();
  const auto statements = sql::AllStatements();
  BOOST_TEST(statements.size() > 30u);
  for (const sql::Statement& statement : statements) {
    BOOST_TEST_CONTEXT(statement.name) {
      BOOST_TEST(Problem(connection.get(), statement) == "");
    }
  }
}

BOOST_AUTO_TEST_CASE(a_statement_with_a_wrong_column_is_found) {
  const auto connection = TestDatabase::Instance().Connect();
  BOOST_TEST(Problem(connection.get(), {"test.wrong", "SELECT no_such_column FROM users"}) != "");
  BOOST_TEST(Problem(connection.get(),
                     {"test.wrong_copy", "-- why\nCOPY users (no_such_column) FROM STDIN (FORMAT binary)"}) !=
             "");
  BOOST_TEST(Problem(connection.get(), {"test.text_copy", "COPY users (name) FROM STDIN"}) != "");
  // And none of it disturbs what comes after.
  BOOST_TEST(Problem(connection.get(), {"test.right", "SELECT name FROM users"}) == "");
}
