// The contract of sql/ with stores: round trips, retries, and where failures are thrown.
#include "sql/database.h"

#include <libpq-fe.h>

#include <boost/test/unit_test.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "sql/errors.h"
#include "tests/support/test_database.h"

namespace syncline::sql {

struct Intruder {
  static PGconn* Of(const Tx& tx) { return tx.connection_.conn_.get(); }
};

}  // namespace syncline::sql

using namespace syncline;
using tests::TestDatabase;

namespace {

constexpr sql::Statement kPut{"test.put", "INSERT INTO promises (id) VALUES ($1)"};
constexpr sql::Statement kCount{"test.count", "SELECT count(*) AS count FROM promises"};
constexpr sql::Statement kEcho{"test.echo", "SELECT $1::bigint AS value"};
constexpr sql::Statement kDivide{"test.divide", "SELECT 1 / $1::bigint AS value"};
constexpr sql::Statement kBackend{"test.backend", "SELECT pg_backend_pid() AS pid"};
constexpr sql::Statement kSleep{"test.sleep", "SELECT pg_sleep(10)"};
constexpr sql::Statement kSeries{"test.series", "SELECT generate_series(1, $1::bigint) AS value"};
constexpr sql::Statement kInts{"test.ints", "SELECT ARRAY[1, NULL, 3]::bigint[] AS value"};
constexpr sql::Statement kTexts{"test.texts", "SELECT ARRAY['one', NULL] AS value"};

// A possible answer to kEcho.
constexpr const char* kForeign = "SELECT 666::bigint AS value";

// Sends a command on the connection without its owner's knowledge.
void Intrude(PGconn* connection, const char* text = kForeign) {
  BOOST_TEST_REQUIRE(PQsendQueryParams(connection, text, 0, nullptr, nullptr, nullptr, nullptr, 1) == 1);
}

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

  // The unique constraint is deferred: only COMMIT detects two equal ids.
  Fixture() {
    test.Run(
        "DROP TABLE IF EXISTS promises;"
        " CREATE TABLE promises (id bigint UNIQUE DEFERRABLE INITIALLY DEFERRED)");
    // Connects and prepares the statements.
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

BOOST_AUTO_TEST_CASE(consecutive_asks_cost_one_round_trip) {
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

BOOST_AUTO_TEST_CASE(a_failure_is_thrown_at_the_next_wait_and_nothing_is_committed) {
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
    good.Get();  // it was never executed
  }),
                    sql::Failure);
  BOOST_TEST(Echo(7) == 7);
  // A block that throws with a statement queued after a failure: the ROLLBACK is not skipped.
  BOOST_CHECK_THROW(database.Write([](sql::Tx& tx) {
    tx.Later(kDivide, 0);
    throw std::logic_error("of the block");
  }),
                    std::logic_error);
  BOOST_TEST(Echo(7) == 7);
}

BOOST_AUTO_TEST_CASE(a_connection_lost_while_idle_is_replaced) {
  std::int64_t pid = 0;
  database.Write([&](sql::Tx& tx) { pid = tx.One(kBackend)["pid"].As<std::int64_t>(); });
  test.Run("SELECT pg_terminate_backend(" + std::to_string(pid) + ", 5000)");
  // Everything in this block travels with its COMMIT.
  database.Write([](sql::Tx& tx) { tx.Later(kPut, 1); });
  BOOST_TEST(Count() == 1);
}

BOOST_AUTO_TEST_CASE(a_failing_commit_is_thrown_to_the_caller) {
  const auto twice = [](sql::Tx& tx) {
    tx.Later(kPut, 1);
    tx.Later(kPut, 1);
  };
  BOOST_CHECK_THROW(database.Write(twice), sql::ConstraintViolated);
  BOOST_TEST(Count() == 0);
}

BOOST_AUTO_TEST_CASE(a_failing_unawaited_commit_affects_no_later_block) {
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
  // Also a failing statement before it, after which COMMIT is skipped.
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

BOOST_AUTO_TEST_CASE(a_block_is_retried_once_when_its_connection_is_lost) {
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

BOOST_AUTO_TEST_CASE(a_connection_lost_after_an_unawaited_commit_does_not_affect_the_next_block) {
  database.WriteUnawaited([&](sql::Tx& tx) {
    tx.Later(kPut, 1);
    KillBackend(tx);
  });
  BOOST_TEST(Echo(7) == 7);
}

BOOST_AUTO_TEST_CASE(reads_cannot_write_and_read_once_allows_one_statement) {
  BOOST_CHECK_THROW(database.Read([](sql::Tx& tx) { tx.Execute(kPut, 1); }), sql::Failure);
  BOOST_CHECK_THROW(database.ReadOnce([](sql::Tx& tx) { tx.Execute(kPut, 1); }), sql::Failure);
  BOOST_CHECK_THROW(database.ReadOnce([](sql::Tx& tx) {
    tx.One(kEcho, 1);
    tx.One(kEcho, 2);
  }),
                    sql::Failure);
  BOOST_TEST(Count() == 0);
}

BOOST_AUTO_TEST_CASE(a_statement_that_times_out_is_reported) {
  sql::Settings settings = test.settings();
  settings.statement_timeout = std::chrono::milliseconds(50);
  sql::Database impatient(settings, &waits);
  waits.waits.clear();
  BOOST_CHECK_THROW(impatient.ReadOnce([](sql::Tx& tx) { tx.Query(kSleep); }), sql::Unavailable);
  BOOST_TEST(waits.waits.back() == "test.sleep");
}

// In each of these blocks the connection gets out of step. The block is repeated on another connection, and
// every result it has read is the one it asked for.
BOOST_AUTO_TEST_CASE(no_wait_lasts_beyond_the_deadline) {
  using namespace std::chrono_literals;
  // A deferred trigger holds up the COMMIT.
  test.Run(
      "CREATE OR REPLACE FUNCTION promises_wait() RETURNS trigger LANGUAGE plpgsql AS"
      " 'BEGIN PERFORM pg_sleep(10); RETURN NULL; END';"
      " CREATE CONSTRAINT TRIGGER promises_wait AFTER INSERT ON promises DEFERRABLE INITIALLY DEFERRED"
      " FOR EACH ROW EXECUTE FUNCTION promises_wait()");
  int runs = 0;
  const auto takes = [&](auto&& block) {
    const auto begin = std::chrono::steady_clock::now();
    runs = 0;
    database.SetDeadline(begin + 300ms);
    block();
    database.SetDeadline(std::nullopt);
    BOOST_TEST((std::chrono::steady_clock::now() - begin < 2s));
    BOOST_TEST(runs == 1);
    BOOST_TEST(Echo(7) == 7);
  };
  const auto sleep = [&](sql::Tx& tx) {
    ++runs;
    tx.One(kSleep);
  };
  const auto put = [&](sql::Tx& tx) {
    ++runs;
    tx.Execute(kPut, 1);
  };
  takes([&] { BOOST_CHECK_THROW(database.ReadOnce(sleep), sql::Unavailable); });
  takes([&] { BOOST_CHECK_THROW(database.Write(sleep), sql::Unavailable); });
  takes([&] { BOOST_CHECK_THROW(database.Write(put), sql::CommitUnknown); });
  takes([&] {
    database.WriteUnawaited(put);
    BOOST_CHECK_THROW(Echo(8), sql::Unavailable);  // waits for that commit first
  });
}

BOOST_AUTO_TEST_CASE(answers_out_of_step_never_reach_the_caller) {
  using Place = std::pair<const char*, std::function<void(sql::Tx&, const std::function<void()>&)>>;
  const auto value = [](const sql::Rows& rows) { return rows[0]["value"].As<std::int64_t>(); };
  const std::vector<Place> places{
      {"before the first statement",
       [&](sql::Tx& tx, const auto& intrude) {
         intrude();
         BOOST_TEST(value(tx.Query(kEcho, 1)) == 1);
       }},
      {"between statements that are waited for",
       [&](sql::Tx& tx, const auto& intrude) {
         BOOST_TEST(value(tx.Query(kEcho, 1)) == 1);
         intrude();
         BOOST_TEST(value(tx.Query(kEcho, 2)) == 2);
       }},
      {"between statements that travel together",
       [&](sql::Tx& tx, const auto& intrude) {
         auto one = tx.Ask(kEcho, 1);
         intrude();
         auto two = tx.Ask(kEcho, 2);
         std::optional<sql::ConnectionLost> lost;
         try {
           BOOST_TEST(value(two.Get()) == 2);
         } catch (const sql::ConnectionLost& e) {
           lost = e;
         }
         if (lost) {
           // Results from before were discarded as doubtful.
           BOOST_CHECK_THROW(one.Get(), sql::Failure);
           BOOST_CHECK_THROW(two.Get(), sql::Failure);
           throw *lost;
         }
         BOOST_TEST(value(one.Get()) == 1);
       }},
      {"in a row with rows that are handed out one by one",
       [&](sql::Tx& tx, const auto& intrude) {
         tx.Later(kEcho, 1);
         intrude();
         tx.Each(
             kSeries, [&](const sql::Row& row) { BOOST_TEST(row["value"].As<std::int64_t>() == 1); }, 1);
       }},
      {"before rows that are handed out one by one",
       [&](sql::Tx& tx, const auto& intrude) {
         tx.Query(kEcho, 1);
         intrude();
         std::int64_t last = 0;
         tx.Each(
             kSeries, [&](const sql::Row& row) { BOOST_TEST(row["value"].As<std::int64_t>() == ++last); }, 5);
         BOOST_TEST(last == 5);
       }},
      {"before a statement whose rows nobody wants",
       [&](sql::Tx& tx, const auto& intrude) {
         tx.Later(kPut, 1000);
         intrude();
         tx.Later(kEcho, 1);
         BOOST_TEST(value(tx.Query(kEcho, 2)) == 2);
       }},
      {"before a statement that has to be prepared",
       [&](sql::Tx& tx, const auto& intrude) {
         tx.One(kEcho, 1);
         intrude();
         BOOST_TEST(tx.One(kBackend)["pid"].As<std::int64_t>() > 0);
       }},
  };
  const std::vector<std::pair<const char*, std::function<void(PGconn*)>>> intruders{
      {"rows like those", [](PGconn* connection) { Intrude(connection); }},
      {"other rows", [](PGconn* connection) { Intrude(connection, "SELECT 'text', 666"); }},
      {"a command", [](PGconn* connection) { Intrude(connection, "SET search_path = public"); }},
      {"a failure", [](PGconn* connection) { Intrude(connection, "SELECT 1 / 0"); }},
      {"rows in place of another answer",
       [](PGconn* connection) {
         BOOST_TEST_REQUIRE(PQsendFlushRequest(connection) == 1);
         PQflush(connection);
         while (PGresult* stolen = PQgetResult(connection)) PQclear(stolen);
         Intrude(connection);
       }},
      {"a sync", [](PGconn* connection) { BOOST_TEST_REQUIRE(PQpipelineSync(connection) == 1); }},
  };
  for (const auto& [place, block] : places) {
    for (const auto& [what, intruder] : intruders) {
      BOOST_TEST_CONTEXT(what << " " << place) {
        test.Run("DELETE FROM promises");
        sql::Database fresh(test.settings());
        fresh.Write([](sql::Tx& tx) {
          tx.One(kEcho, 0);
          tx.Query(kSeries, 1);
        });
        std::vector<std::int64_t> backends;
        fresh.Write([&, &block = block, &intruder = intruder](sql::Tx& tx) {
          PGconn* const connection = sql::Intruder::Of(tx);
          backends.push_back(PQbackendPID(connection));
          const bool is_first = backends.size() == 1;
          block(tx, [&, &intruder = intruder] {
            if (is_first) intruder(connection);
          });
        });
        BOOST_TEST(backends.size() == 2);
        BOOST_TEST(backends.front() != backends.back());
        BOOST_TEST(Count() ==
                   (std::string_view(place).find("nobody wants") != std::string_view::npos ? 1 : 0));
        BOOST_TEST(fresh.ReadOnce([&](sql::Tx& tx) { return value(tx.Query(kEcho, 7)); }) == 7);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_connection_that_got_out_of_step_between_blocks_is_not_used) {
  for (const bool synced : {false, true}) {
    for (const bool unawaited : {false, true}) {
      PGconn* connection = nullptr;
      int backend = 0;
      const auto look = [&](sql::Tx& tx) {
        tx.Later(kEcho, 1);
        connection = sql::Intruder::Of(tx);
        backend = PQbackendPID(connection);
      };
      unawaited ? database.WriteUnawaited(look) : database.Write(look);
      Intrude(connection);
      if (synced) BOOST_TEST_REQUIRE(PQpipelineSync(connection) == 1);
      int runs = 0;
      database.ReadOnce([&](sql::Tx& tx) {
        ++runs;
        BOOST_TEST(PQbackendPID(sql::Intruder::Of(tx)) != backend);
        BOOST_TEST(tx.One(kEcho, 7)["value"].As<std::int64_t>() == 7);
      });
      BOOST_TEST(runs == 1);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_single_read_out_of_step_is_repeated) {
  int runs = 0;
  BOOST_TEST(database.ReadOnce([&](sql::Tx& tx) {
    if (++runs == 1) Intrude(sql::Intruder::Of(tx));
    return tx.One(kEcho, 7)["value"].As<std::int64_t>();
  }) == 7);
  BOOST_TEST(runs == 2);
}

BOOST_AUTO_TEST_CASE(a_commit_whose_answer_is_out_of_step_is_unknown_and_never_repeated) {
  for (const char* const foreign : {kForeign, "SET search_path = public"}) {
    database.Write([](sql::Tx& tx) { tx.One(kEcho, 0); });  // prepares COMMIT
    int runs = 0;
    BOOST_CHECK_THROW(database.Write([&](sql::Tx& tx) {
      ++runs;
      tx.Later(kPut, runs);
      Intrude(sql::Intruder::Of(tx), foreign);
    }),
                      sql::CommitUnknown);
    BOOST_TEST(runs == 1);
    BOOST_TEST(Echo(7) == 7);
    test.Run("DELETE FROM promises");
  }
}

BOOST_AUTO_TEST_CASE(an_answer_that_outlives_its_connection_is_a_failure) {
  std::optional<sql::Answer> kept, held;
  {
    sql::Database short_lived(test.settings());
    short_lived.Write([](sql::Tx& tx) { tx.One(kEcho, 0); });  // prepares COMMIT
    short_lived.WriteUnawaited([&](sql::Tx& tx) {
      kept.emplace(tx.Ask(kEcho, 1));
      kept->Get();
      held.emplace(tx.Ask(kEcho, 2));
    });
  }
  BOOST_TEST(kept->Get()[0]["value"].As<std::int64_t>() == 1);
  BOOST_CHECK_THROW(held->Get(), sql::Failure);
  BOOST_CHECK_THROW(database.Write([&](sql::Tx& tx) {
    held.emplace(tx.Ask(kEcho, 3));
    KillBackend(tx);
    tx.One(kEcho, 4);
  }),
                    sql::ConnectionLost);
  // This answer arrived before the connection was lost.
  BOOST_TEST(held->Get()[0]["value"].As<std::int64_t>() == 3);
}

// A statement is planned at its first execution, and again after an ANALYZE. The counters of the transaction
// show what it has read.
BOOST_AUTO_TEST_CASE(each_statement_is_planned_with_its_own_switches) {
  constexpr const char* kJoin = "SELECT count(*) AS count FROM promises a JOIN promises b ON a.id = b.id";
  const std::string explain_text = std::string("EXPLAIN (COSTS off) ") + kJoin;
  const sql::Statement by_key{"test.join_by_key", kJoin}, free{"test.join_free", kJoin, sql::Plan::kFree},
      explain_by_key{"test.explain_by_key", explain_text.c_str()},
      explain_free{"test.explain_free", explain_text.c_str(), sql::Plan::kFree},
      scans{"test.scans",
            "SELECT seq_scan AS scans FROM pg_stat_xact_user_tables WHERE relname = 'promises'"};
  test.Run("INSERT INTO promises SELECT generate_series(1, 5000); ANALYZE promises");
  const auto count = [](const sql::Rows& rows) { return rows[0]["count"].As<std::int64_t>(); };
  const auto is_wide = [](const sql::Rows& plan) {
    std::string text;
    for (const sql::Row& row : plan) text += row[0].As<std::string>();
    const bool joins = text.find("Hash Join") != std::string::npos;
    BOOST_TEST(joins == (text.find("Seq Scan") != std::string::npos));
    return joins;
  };
  const auto scanned = [&](sql::Tx& tx) { return tx.One(scans)["scans"].As<std::int64_t>(); };
  int runs = 0;
  for (const char* const before : {"", "ANALYZE promises", "ALTER TABLE promises ADD COLUMN more int", ""}) {
    if (*before != '\0') test.Run(before);
    database.Read([&](sql::Tx& tx) {
      const std::int64_t earlier = scanned(tx);  // of earlier transactions, not reported yet
      BOOST_TEST(count(tx.Query(by_key)) == 5000);
      BOOST_TEST(scanned(tx) == earlier);
      BOOST_TEST(count(tx.Query(free)) == 5000);
      BOOST_TEST(scanned(tx) == earlier + 2);
      BOOST_TEST(count(tx.Query(by_key)) == 5000);
      BOOST_TEST(scanned(tx) == earlier + 2);
      // Also for statements that travel together.
      waits.waits.clear();
      auto one = tx.Ask(explain_by_key), two = tx.Ask(explain_free), three = tx.Ask(explain_by_key);
      BOOST_TEST(!is_wide(three.Get()));
      BOOST_TEST(!is_wide(one.Get()));
      BOOST_TEST(is_wide(two.Get()));
      if (runs++ > 0) BOOST_TEST(waits.waits.size() == 1);  // everything is already prepared
    });
  }
  // A single statement, rows one by one, and the block after it.
  BOOST_TEST(is_wide(database.ReadOnce([&](sql::Tx& tx) { return tx.Query(explain_free); })));
  BOOST_TEST(!is_wide(database.ReadOnce([&](sql::Tx& tx) { return tx.Query(explain_by_key); })));
  for (const bool once : {false, true}) {
    std::string text;
    const auto read = [&](sql::Tx& tx) {
      text.clear();
      tx.Each(explain_free, [&](const sql::Row& row) { text += row[0].As<std::string>(); });
    };
    once ? database.ReadOnce(read) : database.Read(read);
    BOOST_TEST(text.find("Hash Join") != std::string::npos);
  }
  BOOST_TEST(!is_wide(database.Write([&](sql::Tx& tx) {
    tx.Later(free);
    return tx.Query(explain_by_key);
  })));
  BOOST_CHECK_THROW(database.Write([&](sql::Tx& tx) {
    tx.Query(free);
    throw std::logic_error("of the block");
  }),
                    std::logic_error);
  BOOST_TEST(!is_wide(database.ReadOnce([&](sql::Tx& tx) { return tx.Query(explain_by_key); })));
}

BOOST_AUTO_TEST_CASE(a_null_in_an_array_is_a_failure) {
  database.Read([](sql::Tx& tx) {
    BOOST_CHECK_THROW(tx.One(kInts)["value"].As<std::vector<std::int64_t>>(), sql::Failure);
    BOOST_CHECK_THROW(tx.One(kTexts)["value"].As<std::vector<std::string>>(), sql::Failure);
    BOOST_CHECK_THROW(tx.One(kInts)["value"].As<std::vector<std::string>>(), sql::Failure);
  });
}

BOOST_AUTO_TEST_SUITE_END()
