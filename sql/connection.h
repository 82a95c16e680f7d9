#pragma once
// One connection to PostgreSQL for the statements of requests and jobs, used by one thread.
//
// It is libpq's and not libpqxx's, which has neither pipelines with parameters nor binary results. Measured
// with the 22 statements of a one-card sync of Anki and their transactions, prepared on both sides, 13 round
// trips here and 32 there, not waiting for the disk (2 cores, Debian 12, PostgreSQL 15, libpqxx 6.4, unix
// socket): libpqxx takes 1.16 times as long for one sync at a time and does 0.77 times as many with eight at a
// time; with a network of 0.3 ms in between it takes 2.0 times as long. What is done once stands on libpqxx:
// sql/plain_connection.h.
//
// The connection lives in libpq's pipeline mode. Commands are queued and answered in order; a round trip ends
// with a sync. A command nobody waits for leaves its answer to be read by the next round trip (Later), or
// before the next transaction (the COMMIT of a read). An answer that is not of the kind that is due, or has
// other columns, ends the connection: all answers behind it would be somebody else's.
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sql/rows.h"
#include "sql/statement.h"
#include "sql/value.h"

struct pg_conn;

namespace syncline::sql {

struct Settings {
  std::string url;               ///< libpq URI or key=value string; a password belongs into a passfile
  std::string application_name;  ///< as seen in pg_stat_activity
  std::chrono::milliseconds statement_timeout{30'000};
  std::chrono::milliseconds lock_timeout{10'000};
  std::chrono::milliseconds idle_in_transaction_timeout{60'000};
  std::chrono::seconds connect_timeout{3};
};

/// Told of every statement: for the log line of a request and the log of slow statements.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void OnStatement(const char* name, std::chrono::microseconds took) = 0;
  /// A round trip for several statements that were told of already, or for a commit; `last` is the last of
  /// them.
  virtual void OnWait(const char* last, std::chrono::microseconds took) = 0;
};

class Connection;

/// Rows that are on their way. What is asked for in a row travels together: the first Get waits for all of
/// it.
class [[nodiscard]] Answer {
 public:
  /// Throws what the statement, or one that travelled before it, failed with; Failure when that was thrown
  /// already, or the connection has been closed before the rows came.
  const Rows& Get();

 private:
  friend class Connection;
  struct Arrival {
    Connection* connection;  // null: nothing is under way any more
    std::optional<Rows> rows{};
  };
  explicit Answer(Connection& connection) : arrival_(std::make_shared<Arrival>(Arrival{&connection})) {}

  std::shared_ptr<Arrival> arrival_;
};

class Connection {
 public:
  /// Connects and sets the session up. Throws Unavailable.
  Connection(const Settings& settings, Observer* observer);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Makes sure that the statement is prepared; the first time that takes two round trips, which also carry
  /// what is queued. The other calls do it themselves.
  void Prepare(const Statement& statement) { PreparedFor(statement); }
  /// Queues BEGIN, COMMIT or ROLLBACK, or a switch of the planner; nothing is sent yet.
  void QueueCommand(const Statement& command);
  /// Queues a statement whose rows nobody wants. Its error is thrown by the next Run or Flush.
  void Queue(const Statement& statement, std::span<const Param> params);
  /// Queues a statement; its rows can be waited for.
  [[nodiscard]] Answer Ask(const Statement& statement, std::span<const Param> params);
  /// Sends what is queued and this statement, waits, and returns its rows. Throws the first error of the
  /// queue.
  Rows Run(const Statement& statement, std::span<const Param> params);
  /// As Run, but hands the rows out one by one without holding them all.
  void Each(const Statement& statement, std::span<const Param> params,
            const std::function<void(const Row&)>& row);
  /// Sends what is queued and waits for it. Returns the command tag of the last ("COMMIT", "ROLLBACK", ...).
  std::string Flush();
  /// Sends what is queued; Settle reads the answers, and nobody is told of errors among them.
  void FlushLater();
  /// What is queued is carried out or fails, and nobody is told: behind a failure a ROLLBACK would be
  /// skipped.
  void DropQueue();
  /// Reads what a FlushLater has left to be read. False: the connection died while it was idle, or is still
  /// inside of a transaction that failed; it is of no use any more. Does not wait, unless for a commit under
  /// way.
  bool Settle();
  bool IsBroken() const;
  /// libpq keeps the largest buffer it ever needed: after a large message the connection is worth less than
  /// its memory.
  bool IsBloated() const { return is_bloated_; }
  /// The connection outlives the request that looks on; null: nobody.
  void SetObserver(Observer* observer) { observer_ = observer; }

 private:
  friend struct Intruder;  // of tests: puts commands into the pipeline that nobody expects

  struct Prepared {
    std::vector<unsigned> types;    // of its parameters
    std::vector<unsigned> columns;  // types of its rows' columns
  };
  enum class Expect { kIgnore, kRows, kSync };
  struct Expected {
    Expect what;
    const char* name;
    const Prepared* statement = nullptr;  // null: an answer to Prepare
    std::shared_ptr<Answer::Arrival> arrival{};
  };

  const Prepared& PreparedFor(const Statement& statement);
  void Send(const Statement& statement, std::span<const Param> params, Expect expect,
            std::shared_ptr<Answer::Arrival> arrival = nullptr);
  void Await(Expected expected);
  void Sync();
  std::shared_ptr<const pg_result> Collect(const std::function<void(const Row&)>* each);
  static bool Fits(const pg_result* result, const Expected& expected);
  void Abandon() noexcept;
  [[noreturn]] void ThrowNotSent(const char* what);
  [[noreturn]] void ThrowError(const pg_result* result, const char* what) const;

  std::unique_ptr<pg_conn, void (*)(pg_conn*)> conn_;
  Observer* observer_;
  std::unordered_map<std::string_view, Prepared> prepared_;
  std::vector<Expected> expected_;
  std::string last_tag_;
  bool is_bloated_ = false;
  bool is_abandoned_ = false;
};

}  // namespace syncline::sql
