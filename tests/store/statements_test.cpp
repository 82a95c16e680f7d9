// Checks that PostgreSQL accepts every statement of the server with this build's schema: names, columns,
// types. Statements are prepared at their first use, so an error in a rare one would otherwise first appear
// in production.
#include <libpq-fe.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sql/plan.h"
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

// An index, as far as the rule about plans needs it.
struct Index {
  std::string table;
  std::vector<std::string> columns;  // none for an expression
  bool is_unique;
  bool is_partial;
};

// Tables with few rows per account, or few rows in all, each with a reason. All others are large.
const std::map<std::string, std::string> kSmallTables = {
    {"vaults", "at most a hundred of an account"},
    {"anime_genres", "some hundred"},
    {"anime_missing", "of the last hours"},
    {"anime_settings", "one row per account"},
    {"anki_staged_cards", "the messages of one sync; a row is one message's rows, and all are read"},
    {"anki_staged_notes", "like anki_staged_cards"},
    {"anki_staged_revlog", "like anki_staged_cards"},
    {"anki_staged_graves", "like anki_staged_cards"},
    {"anki_staged_objects", "like anki_staged_cards"},
    {"anki_staged_tags", "like anki_staged_cards"},
    {"anki_objects", "decks, note types and deck configs: some hundred"},
    {"anki_tags", "some hundred"},
    {"anki_config", "one row per collection"},
    {"anki_history", "the uploads of some weeks"},
    {"anki_problems", "the last few"},
    {"anki_sessions", "the syncs in progress"},
    {"anki_staging_rates", "the accounts that have sent much in the last hour"},
    {"anki_senders", "the networks of old clients in the last hour"},
    {"decks_subscriptions", "the decks that an account follows: some dozen"},
    {"decks_deliveries", "like decks_subscriptions, of an account"},
    {"decks_delivered_types", "the note types of a deck"},
    {"decks_maintainers", "some per deck, and per account"},
    {"decks_invitations", "like decks_maintainers"},
    {"decks_plans", "some"},
    {"devices", "limited per account"},
    {"usage", "one row per service"},
    {"blob_reservations", "the uploads in progress"},
    {"token_keys", "one per rotation of the last week"},
    {"invitations", "those of the last days"},
    {"workers", "the running workers"},
    {"job_rates", "one row per kind with a rate"},
    {"login_failures", "of the last day"},
    {"schedule_feeds", "limited per account"},
    {"schedule_groups", "a thousand at most"},
    {"schedule_institutes", "some dozens"},
    {"schedule_site", "one row"},
    {"schema_migrations", "one row per migration"},
};

// Statements that read much of a large table on purpose, each with a reason. Statements that search or
// compare many rows have "-- plan: free" instead.
const std::map<std::string, std::string> kWideStatements = {
    {"account.list_users", "lists all"},
    {"anime.count_list_entries", "counts, up to a limit"},
    {"anime.list_titles", "a page, in the order of its index"},
    {"anime.save_title_genres", "compares the few genres of one title"},
    {"anime.sweep_history", "all old changes of all accounts, in bounded steps"},
    {"anki.cards_of_notes", "cards have no index by note: one pass for many notes, in a job"},
    {"anki.check_blobs", "compares all references of an account, in the nightly job"},
    {"anki.check_counts", "counts all rows, in the nightly job"},
    {"anki.check_points", "sums all, in the nightly job"},
    {"anki.check_references", "like check_blobs"},
    {"anki.count_content", "measures all texts, after an import and in the nightly job"},
    {"anki.count_in_file", "asks for one row of all ids, and looks ids up by key"},
    {"anki.delete_file_ids", "removes all"},
    {"anki.delete_some_cards", "removes all in bounded steps"},
    {"anki.delete_some_changed", "like delete_some_cards"},
    {"anki.delete_some_graves", "like delete_some_cards"},
    {"anki.delete_some_notes", "like delete_some_cards"},
    {"anki.delete_some_revlog", "like delete_some_cards"},
    {"anki.forget_oldest_points", "sums all, of an account whose history has grown past its bound"},
    {"anki.forget_reviews", "removes all"},
    {"anki.has_file_ids", "asks for one row"},
    {"anki.notes_by_guid",
     "guids have no index: one pass for many notes, in a job or when a subscriber sends edits"},
    {"anki.points", "lists all"},
    {"decks.count_unread", "counts all notices of an account that are kept"},
    {"decks.forget_conflicts", "old rows of all decks, in the nightly job"},
    {"decks.forget_positions", "like forget_conflicts"},
    {"decks.forget_notices", "like forget_conflicts, in bounded steps"},
    {"decks.forget_progress", "like forget_notices"},
    {"decks.forget_readers", "like forget_conflicts"},
    {"decks.forget_suspensions", "like forget_notices"},
    {"decks.forget_withdrawn", "like forget_notices"},
    {"decks.list_notices", "the newest, up to a limit"},
    {"decks.list_own_suggestions", "a page of all that an account has suggested"},
    {"decks.tell_followers", "one row for each, by an administrator's command"},
    {"decks.mark_idle", "subscriptions of all decks, in the nightly job"},
    {"jobs.count_jobs", "counts all"},
    {"jobs.list_jobs", "the newest, up to a limit"},
    {"schedule.latest_run", "asks for one row, in the order of its index"},
};

// Index columns that are not selective within an account.
const std::set<std::string> kCoarseColumns = {"user_id", "generation", "kind", "service", "state", "fence"};

std::map<std::string, Index> Indexes(TestDatabase& test) {
  std::map<std::string, Index> indexes;
  for (const auto& row : test.Run(
           "SELECT x.relname, c.relname, i.indisunique, i.indpred IS NOT NULL, coalesce(a.attname, '')"
           " FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid"
           " CROSS JOIN generate_series(0, i.indnkeyatts - 1) n"
           " LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[n]"
           " WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1, n")) {
    Index& index = indexes[row[0]];
    index.table = row[1];
    index.is_unique = row[2] == "t";
    index.is_partial = row[3] == "t";
    if (!row[4].empty()) index.columns.push_back(row[4]);
  }
  return indexes;
}

bool Has(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

// Whether a condition compares the column: "(id = $1)", "((kind)::text = $2)", "ROW(usn, id) > ROW($1, $2)". On
// the other side of a comparison, the name of the table precedes a column.
bool Compares(std::string_view condition, const std::string& column) {
  for (std::size_t at = condition.find(column); at != condition.npos; at = condition.find(column, at + 1)) {
    if (at > 0 && condition[at - 1] != '(' && condition[at - 1] != ' ') continue;
    std::string_view rest = condition.substr(at + column.size());
    if (rest.starts_with(")::")) rest.remove_prefix(std::min(rest.find_first_of(" ,"), rest.size()));
    for (const char* const next : {" =", " <", " >", " IS", ",", ") >", ") <"}) {
      if (rest.starts_with(next)) return true;
    }
  }
  return false;
}

// Whether the condition of an index scan ("Index Cond: ((user_id = $1) AND (id = $2))") selects few rows: it
// must bind the first selective column of the index. With a later one, the scan would read all rows of the
// account.
bool IsNarrow(const Index& index, const std::string& condition) {
  for (const std::string& column : index.columns) {
    if (!kCoarseColumns.contains(column)) return Compares(condition, column);
    if (!Compares(condition, column)) return false;
  }
  return index.is_unique;
}

// The generic plan of a statement, with the planner switches it is executed with.
std::vector<std::vector<std::string>> Explain(PGconn* connection, const sql::Statement& statement) {
  const Result prepared(PQprepare(connection, statement.name, statement.text, 0, nullptr), PQclear);
  const Result described(PQdescribePrepared(connection, statement.name), PQclear);
  std::string arguments;
  for (int i = 0; i < PQnparams(described.get()); ++i) arguments += i == 0 ? "(NULL" : ", NULL";
  if (!arguments.empty()) arguments += ")";
  tests::RunOn(connection, std::string("BEGIN; ") + sql::SwitchTo(statement.plan).text +
                               "; SET LOCAL plan_cache_mode = force_generic_plan");
  auto plan = tests::RunOn(connection,
                           "EXPLAIN (COSTS off) EXECUTE \"" + std::string(statement.name) + "\"" + arguments);
  tests::RunOn(connection, "ROLLBACK");
  return plan;
}

// Inserts three rows for each of many accounts into every large table of accounts, with simple values. This
// database belongs to this program, so CHECK and foreign key constraints are dropped.
void FillTables(TestDatabase& test) {
  for (const auto& row : test.Run(
           "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM "
           "pg_constraint"
           " WHERE contype IN ('c', 'f') AND connamespace = 'public'::regnamespace AND conparentid = 0")) {
    test.Run(row[0]);
  }
  // A table, the columns that need a value, and their values; n is the account, i distinguishes its rows.
  for (const auto& row : test.Run(
           "SELECT c.relname, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum), string_agg(CASE"
           " WHEN a.attnum = k.indkey[0] THEN 'n'"
           " WHEN a.attnum = k.indkey[k.indnkeyatts - 1] AND t.typcategory IN ('N', 'S') THEN"
           "   'i::text::' || t.typname"
           " WHEN a.attnum = k.indkey[k.indnkeyatts - 1] AND t.typname = 'bytea' THEN"
           "   'convert_to(i::text, ''UTF8'')'"
           " WHEN t.typcategory = 'N' THEN '0' WHEN t.typcategory = 'B' THEN 'false'"
           " WHEN t.typcategory = 'D' THEN 'now()' WHEN t.typcategory = 'A' THEN '''{}'''"
           " ELSE '''''' END, ', ' ORDER BY a.attnum)"
           " FROM pg_index k JOIN pg_class c ON c.oid = k.indrelid JOIN pg_attribute a ON a.attrelid = c.oid"
           " JOIN pg_type t ON t.oid = a.atttypid"
           " JOIN pg_attribute o ON o.attrelid = c.oid AND o.attnum = k.indkey[0]"
           " WHERE k.indisprimary AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0"
           " AND o.attname IN ('user_id', 'deck_id') AND c.relname <> 'users'"
           " AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = ''"
           " GROUP BY 1")) {
    if (kSmallTables.contains(row[0])) continue;
    test.Run("INSERT INTO " + row[0] + " (" + row[1] + ") SELECT " + row[2] +
             " FROM generate_series(1, 300) n, generate_series(1, 3) i ON CONFLICT DO NOTHING");
    test.Run("ANALYZE " + row[0]);
  }
}

// Returns a step of the generic plan that reads many rows to find some, or "".
std::string WideScan(PGconn* connection, const std::map<std::string, Index>& indexes,
                     const sql::Statement& statement) {
  const auto plan = Explain(connection, statement);
  for (std::size_t i = 0; i < plan.size(); ++i) {
    const std::string& step = plan[i][0];
    std::string name;
    for (const std::string_view scan :
         {"Seq Scan on ", "Scan using ", "Scan Backward using ", "Bitmap Index Scan on "}) {
      const std::size_t at = step.find(scan);
      if (at != step.npos)
        name = step.substr(at + scan.size(), step.find(' ', at + scan.size()) - at - scan.size());
    }
    if (name.empty()) continue;
    const auto index = indexes.find(name);
    const std::string& table = index == indexes.end() ? name : index->second.table;
    if (kSmallTables.contains(table)) continue;
    const std::string condition = i + 1 < plan.size() ? plan[i + 1][0] : "";
    const bool has_condition = Has(condition, "Index Cond:");
    // A partial index contains only the few rows in question.
    if (index != indexes.end() &&
        (index->second.is_partial || (has_condition && IsNarrow(index->second, condition)))) {
      continue;
    }
    if (index == indexes.end() &&
        tests::RunOn(connection, "SELECT to_regclass('public." + table + "')")[0][0] == "NULL")
      continue;
    return step + (has_condition ? condition : "");
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

// Generic plans use statistics over all accounts. Most accounts are small, so a plan that reads all of an
// account's rows to find one looks cheap, until it meets the account with 50,000 cards.
BOOST_AUTO_TEST_CASE(no_request_reads_all_rows_of_an_account_to_find_some) {
  TestDatabase& test = TestDatabase::Instance();
  const auto indexes = Indexes(test);
  const auto check = [&](const char* statistics) {
    const auto connection = test.Connect();
    for (const sql::Statement& statement : sql::AllStatements()) {
      if (statement.plan == sql::Plan::kFree || kWideStatements.contains(statement.name)) continue;
      BOOST_TEST_CONTEXT(statement.name << " with " << statistics) {
        BOOST_TEST(WideScan(connection.get(), indexes, statement) == "");
      }
    }
  };
  check("no statistics yet");
  FillTables(test);
  check("statistics of small accounts");
  // Checks the check itself: each of these must be detected.
  const auto connection = test.Connect();
  const auto wide = [&](const char* name, const char* text, sql::Plan plan) {
    return WideScan(connection.get(), indexes, {name, text, plan});
  };
  constexpr const char* kAntiJoin =
      "SELECT s.id FROM unnest($3::bigint[]) AS s (id) WHERE NOT EXISTS (SELECT FROM anki_cards k WHERE "
      "k.user_id = $1 AND k.generation = $2 AND k.id = s.id)";
  BOOST_TEST(wide("test.anti_join", kAntiJoin, sql::Plan::kFree) != "");
  BOOST_TEST(wide("test.other_column", "SELECT FROM blob_refs WHERE user_id = $1 AND holders = $2",
                  sql::Plan::kByKey) != "");
  BOOST_TEST(wide("test.no_owner", "SELECT FROM anki_cards WHERE id = $1", sql::Plan::kByKey) != "");
  BOOST_TEST(wide("test.behind",
                  "SELECT FROM anki_revlog WHERE user_id = $1 AND generation = $2 AND type = $3",
                  sql::Plan::kByKey) != "");
}

// Plans of foreign key checks are made in the session that first needs them, and kept.
BOOST_AUTO_TEST_CASE(statements_with_free_plans_only_read) {
  const auto connection = TestDatabase::Instance().Connect();
  int free = 0;
  for (const sql::Statement& statement : sql::AllStatements()) {
    if (statement.plan != sql::Plan::kFree) continue;
    ++free;
    BOOST_TEST_CONTEXT(statement.name) {
      for (const auto& row : Explain(connection.get(), statement)) {
        for (const char* const step : {"Insert on ", "Update on ", "Delete on ", "Merge on ", "LockRows"}) {
          BOOST_TEST(!Has(row[0], step));
        }
      }
    }
  }
  BOOST_TEST(free > 0);
}

BOOST_AUTO_TEST_CASE(a_statement_with_a_wrong_column_is_found) {
  const auto connection = TestDatabase::Instance().Connect();
  BOOST_TEST(Problem(connection.get(), {"test.wrong", "SELECT no_such_column FROM users"}) != "");
  // The error does not affect the next statement.
  BOOST_TEST(Problem(connection.get(), {"test.right", "SELECT name FROM users"}) == "");
}
