#pragma once
// One connection to PostgreSQL for the statements of requests and jobs, used by one thread.
//
// It uses libpq, because libpqxx has neither pipelines with parameters nor binary results. Measured with the
// 22 statements of a one-card Anki sync and their transactions, prepared in both cases, 13 round trips here
// against 32 with libpqxx, without waiting for the disk (2 cores, Debian 12, PostgreSQL 15, libpqxx 6.4, unix
// socket): libpqxx takes 1.16 times as long for one sync at a time, does 0.77 times as many syncs with eight
// in parallel, and takes 2.0 times as long with 0.3 ms of network in between. One-off work uses libpqxx:
// sql/plain_connection.h.
//
// The connection is in libpq's pipeline mode. Commands are queued and answered in order; a round trip ends
// with a sync. A command sent without waiting leaves its answer to be read by the next round trip (Later), or
// before the next transaction (the COMMIT of a read). An answer of an unexpected kind, or with other columns,
// ends the connection: all later answers would go to the wrong commands. So does a wait beyond the deadline:
// the server may have become unreachable without a reset, and otherwise only the kernel's timeouts would end
// the wait. Sending blocks until the kernel has taken all of it, with TCP_USER_TIMEOUT as the bound: in
// libpq's non-blocking mode a message of hundreds of MB would be moved in memory after every piece that is
// sent.
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
  std::string url;               ///< libpq URI or key=value string; put a password in a passfile
  std::string application_name;  ///< as seen in pg_stat_activity
  std::chrono::milliseconds statement_timeout{30'000};
  std::chrono::milliseconds lock_timeout{10'000};
  std::chrono::milliseconds idle_in_transaction_timeout{60'000};
  std::chrono::seconds connect_timeout{3};
};

/// Notified of every statement: for the log line of a request and the log of slow statements.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void OnStatement(const char* name, std::chrono::microseconds took) = 0;
  /// A round trip for several statements already reported by OnStatement, or for a commit; `last` is the last
  /// of them.
  virtual void OnWait(const char* last, std::chrono::microseconds took) = 0;
};

class Connection;

/// Rows of an in-flight statement. Consecutive Asks share one round trip: the first Get waits for all of
/// them.
class [[nodiscard]] Answer {
 public:
  /// Throws the error of this statement, or of an earlier one in the same round trip; Failure if that was
  /// already thrown, or the connection was closed before the rows arrived.
  const Rows& Get();

 private:
  friend class Connection;
  struct Arrival {
    Connection* connection;  // null: no longer in flight
    std::optional<Rows> rows{};
  };
  explicit Answer(Connection& connection) : arrival_(std::make_shared<Arrival>(Arrival{&connection})) {}

  std::shared_ptr<Arrival> arrival_;
};

class Connection {
 public:
  /// Connects and sets up the session. Throws Unavailable.
  Connection(const Settings& settings, Observer* observer);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Prepares the statement if necessary. The first time takes up to two round trips, because the queue is
  /// flushed first. The other calls do this themselves.
  void Prepare(const Statement& statement) { PreparedFor(statement); }
  /// Queues BEGIN, COMMIT, ROLLBACK or planner settings; nothing is sent yet.
  void QueueCommand(const Statement& command);
  /// Queues a statement whose rows are not needed. The next round trip throws its error.
  void Queue(const Statement& statement, std::span<const Param> params);
  /// Queues a statement whose rows can be awaited.
  [[nodiscard]] Answer Ask(const Statement& statement, std::span<const Param> params);
  /// Sends the queue and this statement, waits, and returns its rows. Throws the first error among them.
  Rows Run(const Statement& statement, std::span<const Param> params);
  /// As Run, but passes the rows on one by one without holding them all.
  void Each(const Statement& statement, std::span<const Param> params,
            const std::function<void(const Row&)>& row);
  /// Sends the queue and waits. Returns the command tag of the last command ("COMMIT", "ROLLBACK", ...).
  std::string Flush();
  /// Sends the queue; Settle reads the answers and ignores errors among them.
  void FlushLater();
  /// Executes the queue and ignores its errors, because a ROLLBACK queued behind a failed command would be
  /// skipped. Throws if the connection is lost.
  void DropQueue();
  /// Reads the answers left by FlushLater. False: the connection was lost while idle, or is still in a failed
  /// transaction; discard it. Waits only for an in-flight commit.
  bool Settle();
  bool IsBroken() const;
  /// No wait for PostgreSQL lasts longer; it then throws ConnectionLost. A wait that begins later, such as that
  /// for a ROLLBACK, gets half a second. None: no deadline. Connecting is bounded by Settings::connect_timeout.
  void SetDeadline(std::optional<std::chrono::steady_clock::time_point> deadline) { deadline_ = deadline; }
  /// libpq keeps the largest buffer it ever needed: after a large message, close the connection to free it.
  bool IsBloated() const { return is_bloated_; }
  /// The connection outlives the request that observes it; null: no observer.
  void SetObserver(Observer* observer) { observer_ = observer; }

 private:
  friend struct Intruder;  // for tests: sends commands whose answers are not expected

  struct Prepared {
    std::vector<unsigned> types;    // of its parameters
    std::vector<unsigned> columns;  // types of its result columns
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
  std::shared_ptr<const pg_result> NextResult(const char* name, std::chrono::steady_clock::time_point until);
  void WaitForSocket(const char* name, std::chrono::steady_clock::time_point until);
  std::chrono::steady_clock::time_point WaitUntil() const;
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
  std::optional<std::chrono::steady_clock::time_point> deadline_;
};

}  // namespace syncline::sql
