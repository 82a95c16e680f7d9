#pragma once
// One connection to PostgreSQL, used by one thread. The only file beside its .cpp, rows.cpp and listener.cpp
// that knows libpq. It is libpq and not libpqxx because two things are needed that libpqxx does not offer:
// binary parameters and results, and pipelines (BEGIN, statements and COMMIT in one round trip).
//
// The connection lives in libpq's pipeline mode. Commands are queued and answered in order; a round trip ends
// with a sync. A command nobody waits for leaves its answer to be read by the next round trip (Later), or
// before the next transaction (the COMMIT of a read).
#include <chrono>
#include <cstdint>
#include <deque>
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
  /// Throws what the statement, or one that travelled before it, failed with.
  const Rows& Get();

 private:
  friend class Connection;
  explicit Answer(Connection& connection)
      : connection_(&connection), rows_(std::make_shared<std::optional<Rows>>()) {}

  Connection* connection_;  // may be gone once the rows are here
  std::shared_ptr<std::optional<Rows>> rows_;
};

class Connection {
 public:
  /// Connects and sets the session up. Throws Unavailable.
  Connection(const Settings& settings, Observer* observer);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Queues BEGIN, COMMIT or ROLLBACK; nothing is sent yet.
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
  struct Prepared {
    std::vector<unsigned> types;
  };
  enum class Expect { kIgnore, kRows, kSync };
  using Arriving = std::shared_ptr<std::optional<Rows>>;

  const Prepared& Prepare(const Statement& statement);
  void Send(const Statement& statement, std::span<const Param> params, Expect expect,
            Arriving rows = nullptr);
  void Sync();
  std::shared_ptr<const pg_result> Collect(const std::function<void(const Row&)>* each);
  [[noreturn]] void ThrowNotSent(const char* what) const;
  [[noreturn]] void ThrowError(const pg_result* result, const char* what) const;

  std::unique_ptr<pg_conn, void (*)(pg_conn*)> conn_;
  Observer* observer_;
  std::unordered_map<std::string_view, Prepared> prepared_;
  struct Expected {
    Expect what;
    const char* name;
    Arriving rows{};
  };
  std::deque<Expected> expected_;
  std::string last_tag_;
  bool is_bloated_ = false;
};

}  // namespace syncline::sql
