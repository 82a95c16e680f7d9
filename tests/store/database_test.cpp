// What sql/ promises to a store: round trips, what is repeated, and whose problem a failure is.
#include "sql/database.h"

#include <boost/test/unit_test.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "sql/errors.h"
#include "tests/support/test_database.h"

using namespace syncline;
using tests::TestDatabase;

namespace {

constexpr sql::Statement kPut{"test.put", "INSERT INTO promises (id) VALUES ($1)"};
constexpr sql::Statement kCount{"test.count", "SELECT count(*) AS count FROM promises"};
constexpr sql::Statement kEcho{"test.echo", "SELECT $1::bigint AS value"};
constexpr sql::Statement kDivide{"test.divide", "SELECT 1 / $1::bigint AS value"};
constexpr sql::Statement kBackend{"test.backend", "SELECT pg_backend_pid() AS pid"};
constexpr sql::Statement kSleep{"test.sleep", "SELECT pg_sleep(10)"};

struct Waits : sql::Observer {
  std::vector<std::string> statements, waits;
  void OnStatement(const char* name, std::chrono::microseconds took) override {
    statements.emplace_back(name);
    if (took.count() > 0) waits.emplace_back(name);
  }
  void OnWait(const char* last, std::chrono::microseconds) override { waits.emplace_back(last); }
};

struct Fixture {
  TestDatabase& test = TestDatabase::Instance();
  Waits waits;
  sql::Database database{test.settings(), &waits};

  // Two equal ids are found out by the COMMIT only.
  Fixture() {
    test.Run(
        "DROP TABLE IF EXISTS promises;"
        " CREATE TABLE promises (id bigint UNIQUE DEFERRABLE INITIALLY DEFERRED)");
    // Connected, and everything prepared.
    database.Write([](sql::Tx& tx) { tx.One(kEcho, 0); });
    database.Read([](sql::Tx& tx) { tx.One(kEcho, 0); });
  }
  std::int64_t Count() {
    return database.ReadOnce([](sql::Tx& tx) { return tx.One(kCount)["count"].As<std::int64_t>(); });
  }
  std::int64_t Echo(std::int64_t value) {
    return database.ReadOnce([&](sql::Tx& tx) { return tx.One(kEcho, value)["value"].As<std::int64_t>(); });
  }
  void KillBackend(sql::Tx& tx) {
    const auto pid = tx.One(kBackend)["pid"].As<std::int64_t>();
    test.Run("SELECT pg_terminate_backend(" + std::to_string(pid) + ", 5000)");
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(database, Fixture)

BOOST_AUTO_TEST_CASE(what_is_asked_for_in_a_row_costs_one_round_trip) {
  waits.waits.clear();
  database.Read([](sql::Tx& tx) {
    auto one = tx.Ask(kEcho, 1), two = tx.Ask(kEcho, 2), three = tx.Ask(kEcho, 3);
    BOOST_TEST(three.Get()[0]["value"].As<std::int64_t>() == 3);
    BOOST_TEST(one.Get()[0]["value"].As<std::int64_t>() == 1);
    BOOST_TEST(two.Get()[0]["value"].As<std::int64_t>() == 2);
  });
  BOOST_TEST(waits.waits.size() == 1);
  waits.waits.clear();
  auto late = database.Write([](sql::Tx& tx) { return tx.Ask(kEcho, 4); });
  BOOST_TEST(late.Get()[0]["value"].As<std::int64_t>() == 4);
}

BOOST_AUTO_TEST_CASE(a_failure_is_thrown_where_somebody_waits_and_nothing_is_kept) {
  BOOST_CHECK_THROW(database.Write([](sql::Tx& tx) {
    tx.Later(kPut, 1);
    tx.Later(kDivide, 0);
    tx.One(kEcho, 1);
  }),
                    sql::Failure);
  BOOST_CHECK_THROW(database.Write([](sql::Tx& tx) {
    tx.Later(kPut, 1);
    tx.Later(kDivide, 0);
  }),
                    sql::Failure);
  BOOST_TEST(Count() == 0);
  BOOST_CHECK_THROW(database.Write([](sql::Tx& tx) {
    auto bad = tx.Ask(kDivide, 0);
    auto good = tx.Ask(kEcho, 1);
    try {
      bad.Get();
    } catch (const sql::Failure&) {
    }
    good.Get();  // it was never carried out
  }),
                    sql::Failure);
  BOOST_TEST(Echo(7) == 7);
  // Thrown away with something queued behind a failure: the ROLLBACK is not skipped.
  BOOST_CHECK_THROW(database.Write([](sql::Tx& tx) {
    tx.Later(kDivide, 0);
    throw std::logic_error("of the block");
  }),
                    std::logic_error);
  BOOST_TEST(Echo(7) == 7);
}

BOOST_AUTO_TEST_CASE(a_connection_that_died_while_it_was_idle_is_not_noticed) {
  std::int64_t pid = 0;
  database.Write([&](sql::Tx& tx) { pid = tx.One(kBackend)["pid"].As<std::int64_t>(); });
  test.Run("SELECT pg_terminate_backend(" + std::to_string(pid) + ", 5000)");
  // Everything of this block travels with its COMMIT.
  database.Write([](sql::Tx& tx) { tx.Later(kPut, 1); });
  BOOST_TEST(Count() == 1);
}

BOOST_AUTO_TEST_CASE(a_failing_commit_is_told_to_whoever_waits_for_it) {
  const auto twice = [](sql::Tx& tx) {
    tx.Later(kPut, 1);
    tx.Later(kPut, 1);
  };
  BOOST_CHECK_THROW(database.Write(twice), sql::ConstraintViolated);
  BOOST_TEST(Count() == 0);
}

BOOST_AUTO_TEST_CASE(a_commit_that_nobody_waited_for_fails_for_nobody) {
  const auto put = [](std::int64_t one, std::int64_t other) {
    return [=](sql::Tx& tx) {
      tx.Later(kPut, one);
      tx.Later(kPut, other);
    };
  };
  database.WriteUnawaited(put(1, 2));
  BOOST_TEST(Count() == 2);
  database.WriteUnawaited(put(3, 3));
  BOOST_TEST(Echo(7) == 7);
  // Not only the commit: a statement before it, behind which COMMIT is skipped.
  database.WriteUnawaited([](sql::Tx& tx) { tx.Later(kDivide, 0); });
  BOOST_TEST(Echo(7) == 7);
  database.Write(put(5, 6));
  database.WriteUnawaited([](sql::Tx& tx) { tx.Later(kDivide, 0); });
  database.WriteUnawaited(put(7, 7));
  database.Read([](sql::Tx& tx) {
    int rows = 0;
    tx.Each(
        kEcho, [&](const sql::Row&) { ++rows; }, 1);
    BOOST_TEST(rows == 1);
  });
  BOOST_TEST(Count() == 4);
}

BOOST_AUTO_TEST_CASE(a_block_runs_once_more_when_its_connection_was_lost) {
  int runs = 0;
  database.Write([&](sql::Tx& tx) {
    tx.Execute(kPut, 1);
    if (++runs == 1) KillBackend(tx);
    tx.One(kEcho, 1);
  });
  BOOST_TEST(runs == 2);
  BOOST_TEST(Count() == 1);
  runs = 0;
  BOOST_CHECK_THROW(database.Write([&](sql::Tx& tx) {
    ++runs;
    KillBackend(tx);
    tx.One(kEcho, 1);
  }),
                    sql::ConnectionLost);
  BOOST_TEST(runs == 2);
}

BOOST_AUTO_TEST_CASE(a_commit_whose_outcome_is_unknown_is_never_repeated) {
  int runs = 0;
  BOOST_CHECK_THROW(database.Write([&](sql::Tx& tx) {
    ++runs;
    tx.Execute(kPut, 1);
    KillBackend(tx);
  }),
                    sql::CommitUnknown);
  BOOST_TEST(runs == 1);
  BOOST_TEST(Count() == 0);
}

BOOST_AUTO_TEST_CASE(a_connection_that_dies_behind_an_unawaited_commit_costs_the_next_block_nothing) {
  database.WriteUnawaited([&](sql::Tx& tx) {
    tx.Later(kPut, 1);
    KillBackend(tx);
  });
  BOOST_TEST(Echo(7) == 7);
}

BOOST_AUTO_TEST_CASE(reads_do_not_write_and_a_single_read_is_single) {
  BOOST_CHECK_THROW(database.Read([](sql::Tx& tx) { tx.Execute(kPut, 1); }), sql::Failure);
  BOOST_CHECK_THROW(database.ReadOnce([](sql::Tx& tx) { tx.Execute(kPut, 1); }), sql::Failure);
  BOOST_CHECK_THROW(database.ReadOnce([](sql::Tx& tx) {
    tx.One(kEcho, 1);
    tx.One(kEcho, 2);
  }),
                    sql::Failure);
  BOOST_TEST(Count() == 0);
}

BOOST_AUTO_TEST_CASE(a_statement_that_ran_into_its_timeout_is_told_of) {
  sql::Settings settings = test.settings();
  settings.statement_timeout = std::chrono::milliseconds(50);
  sql::Database impatient(settings, &waits);
  waits.waits.clear();
  BOOST_CHECK_THROW(impatient.ReadOnce([](sql::Tx& tx) { tx.Query(kSleep); }), sql::Unavailable);
  BOOST_TEST(waits.waits.back() == "test.sleep");
}

BOOST_AUTO_TEST_SUITE_END()
