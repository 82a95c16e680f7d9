// Every statement of the server is understood by PostgreSQL with the schema of this build: names, columns,
// types. A statement is prepared at its first use, so without this a mistake in a rare one waits for a user.
#include <libpq-fe.h>

#include <boost/test/unit_test.hpp>
#include <set>
#include <string>

#include "sql/queries/all_statements.h"
#include "tests/support/test_database.h"

using namespace syncline;
using tests::TestDatabase;

namespace {

using Result = std::unique_ptr<PGresult, void (*)(PGresult*)>;

std::string Problem(PGconn* connection, const sql::Statement& statement) {
  const Result prepared(PQprepare(connection, statement.name, statement.text, 0, nullptr), PQclear);
  if (PQresultStatus(prepared.get()) != PGRES_COMMAND_OK) return PQresultErrorMessage(prepared.get());
  return {};
}

// A step of the generic plan that finds rows of a large table by their owner alone; nothing, when there is
// none.
std::string WideScan(PGconn* connection, const sql::Statement& statement) {
  const Result prepared(PQprepare(connection, statement.name, statement.text, 0, nullptr), PQclear);
  const Result described(PQdescribePrepared(connection, statement.name), PQclear);
  std::string arguments;
  for (int i = 0; i < PQnparams(described.get()); ++i) arguments += i == 0 ? "(NULL" : ", NULL";
  if (!arguments.empty()) arguments += ")";
  const Result plan(
      PQexec(connection,
             ("EXPLAIN (COSTS off) EXECUTE \"" + std::string(statement.name) + "\"" + arguments).c_str()),
      PQclear);
  BOOST_TEST_REQUIRE(PQresultStatus(plan.get()) == PGRES_TUPLES_OK);
  for (int i = 0; i + 1 < PQntuples(plan.get()); ++i) {
    const std::string step = PQgetvalue(plan.get(), i, 0), condition = PQgetvalue(plan.get(), i + 1, 0);
    const auto has = [](const std::string& line, const char* part) {
      return line.find(part) != std::string::npos;
    };
    const bool is_large = has(step, " on anki_cards") || has(step, " on anki_notes") ||
                          has(step, " on anki_revlog") || has(step, " on anki_graves");
    // An index on usn finds ids only behind a usn.
    const bool is_narrow = has(condition, "(ctid ") || has(condition, "(usn ") ||
                           (has(condition, "(id ") && !has(step, "_usn on"));
    if (has(step, "Scan") && is_large && !is_narrow) return step + condition;
  }
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

// The plans are generic, made from statistics over all accounts. Most accounts being small, a plan that reads
// all of an account's rows to find one looks cheap, until it meets the account with 50,000 cards.
BOOST_AUTO_TEST_CASE(no_request_reads_all_rows_of_an_account_to_find_some) {
  // These are meant to: what they look at has an index of its own, or they remove all of it in bounded steps.
  const std::set<std::string> meant{"anki.unbury_cards",       "anki.delete_some_cards",
                                    "anki.delete_some_notes",  "anki.delete_some_revlog",
                                    "anki.delete_some_graves", "anki.check_counts",
                                    "anki.check_references",   "anki.archive_collection"};
  TestDatabase& test = TestDatabase::Instance();
  const auto check = [&](const char* statistics) {
    const auto connection = test.Connect();
    // As sql/connection.cpp opens its sessions.
    tests::RunOn(connection.get(),
                 "SET plan_cache_mode = force_generic_plan; SET enable_hashjoin = off;"
                 "SET enable_mergejoin = off; SET enable_seqscan = off");
    for (const sql::Statement& statement : sql::AllStatements()) {
      if (!std::string_view(statement.name).starts_with("anki.") || meant.contains(statement.name)) continue;
      BOOST_TEST_CONTEXT(statement.name << " with " << statistics) {
        BOOST_TEST(WideScan(connection.get(), statement) == "");
      }
    }
  };
  check("no statistics yet");

  test.Run("INSERT INTO users (name, password_hash) SELECT 'plans-' || n, '' FROM generate_series(1, 300) n");
  for (const std::string table : {"cards", "notes", "revlog", "graves"}) {
    // Three rows each, of whatever the other columns allow.
    const auto columns = test.Run(
        "SELECT string_agg(quote_ident(attname), ', '), string_agg(CASE atttypid WHEN 'text'::regtype THEN "
        "quote_literal('') ELSE '0' END, ', ') FROM pg_attribute WHERE attrelid = 'anki_" +
        table + "'::regclass AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('user_id', 'id')");
    test.Run("INSERT INTO anki_" + table + " (user_id, id, " + columns[0][0] + ") SELECT user_id, i, " +
             columns[0][1] + " FROM users, generate_series(1, 3) i WHERE name LIKE 'plans-%'");
    test.Run("ANALYZE anki_" + table);
  }
  check("statistics of small accounts");
  // It can tell.
  const auto connection = test.Connect();
  tests::RunOn(connection.get(), "SET plan_cache_mode = force_generic_plan; SET enable_hashjoin = off");
  BOOST_TEST(WideScan(connection.get(),
                      {"test.anti_join",
                       "SELECT s.id FROM unnest($3::bigint[]) AS s (id) WHERE NOT EXISTS (SELECT FROM "
                       "anki_cards k WHERE k.user_id = $1 AND k.generation = $2 AND k.id = s.id)"}) != "");
  test.Run("DELETE FROM users WHERE name LIKE 'plans-%'");
}

BOOST_AUTO_TEST_CASE(a_statement_with_a_wrong_column_is_found) {
  const auto connection = TestDatabase::Instance().Connect();
  BOOST_TEST(Problem(connection.get(), {"test.wrong", "SELECT no_such_column FROM users"}) != "");
  // And none of it disturbs what comes after.
  BOOST_TEST(Problem(connection.get(), {"test.right", "SELECT name FROM users"}) == "");
}
