// Migrations of a database in use, and migrations that are refused before they change anything.
#include "sql/migrate.h"

#include <libpq-fe.h>

#include <boost/test/unit_test.hpp>
#include <future>
#include <string>
#include <vector>

#include "sql/errors.h"
#include "tests/support/test_database.h"

using namespace syncline;
using tests::RunOn;
using tests::TestDatabase;

namespace {

struct Fixture {
  TestDatabase& test = TestDatabase::Instance();
  std::vector<sql::Migration> migrations{sql::Migrations().begin(), sql::Migrations().end()};
  const int next = migrations.back().number + 1;

  ~Fixture() {
    test.Run("DELETE FROM schema_migrations WHERE number >= " + std::to_string(next) +
             "; ALTER TABLE users DROP COLUMN IF EXISTS promise");
  }
  std::vector<std::string> Migrate() {
    sql::Settings settings = test.settings();
    settings.lock_timeout = std::chrono::milliseconds(200);
    return sql::Migrate(settings, migrations);
  }
  std::string Newest() { return test.Value("SELECT max(number) FROM schema_migrations"); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(migrate, Fixture)

BOOST_AUTO_TEST_CASE(a_migration_that_waits_for_a_reader_does_not_block_others_for_long) {
  migrations.push_back({next, "promise", "ALTER TABLE users ADD COLUMN promise int"});
  const auto reader = test.Connect(), other = test.Connect();
  RunOn(reader.get(), "BEGIN; SELECT count(*) FROM users");
  auto done = std::async(std::launch::async, [&] { return Migrate(); });
  tests::WaitForLockWaiters(test, 1);
  // Queues behind the migration, which waits for the reader. It cannot wait longer than the migration does.
  BOOST_CHECK_NO_THROW(RunOn(other.get(), "SET statement_timeout = '5s'; SELECT count(*) FROM users"));
  BOOST_TEST(Newest() == std::to_string(next - 1));
  RunOn(reader.get(), "COMMIT");
  BOOST_TEST(done.get() == std::vector<std::string>{"promise"}, boost::test_tools::per_element());
  BOOST_TEST(Newest() == std::to_string(next));
  BOOST_TEST(test.Value("SELECT count(promise) FROM users") == "0");
  BOOST_TEST(Migrate().empty());
}

BOOST_AUTO_TEST_CASE(a_failed_migration_leaves_nothing_behind) {
  migrations.push_back({next, "promise", "ALTER TABLE users ADD COLUMN promise int; SELECT 1 / 0;"});
  BOOST_CHECK_THROW(Migrate(), sql::Failure);
  BOOST_TEST(Newest() == std::to_string(next - 1));
  BOOST_CHECK_THROW(test.Run("SELECT promise FROM users"), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(a_gap_in_the_numbers_is_refused) {
  migrations.push_back({next + 1, "promise", "ALTER TABLE users ADD COLUMN promise int"});
  BOOST_CHECK_THROW(Migrate(), sql::Failure);
  BOOST_TEST(Newest() == std::to_string(next - 1));
}

BOOST_AUTO_TEST_CASE(nothing_is_applied_after_a_later_migration) {
  test.Run("INSERT INTO schema_migrations (number, name, checksum) VALUES (" + std::to_string(next + 1) +
           ", 'of a later build', '')");
  BOOST_TEST(Migrate().empty());  // a newer schema is fine
  migrations.push_back({next, "promise", "ALTER TABLE users ADD COLUMN promise int"});
  BOOST_CHECK_THROW(Migrate(), sql::Failure);
  BOOST_CHECK_THROW(test.Run("SELECT promise FROM users"), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(a_modified_migration_is_refused) {
  migrations.front().text = "SELECT 1";
  BOOST_CHECK_THROW(Migrate(), sql::Failure);
}

BOOST_AUTO_TEST_SUITE_END()
