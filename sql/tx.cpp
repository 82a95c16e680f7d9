#include "sql/tx.h"

#include <utility>

#include "sql/errors.h"
#include "sql/plan.h"

namespace syncline::sql {
namespace {

// Prepared like any statement: parsing them would be a tenth of the cost of a small transaction.
constexpr Statement kBeginRead{"begin_read", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"};
constexpr Statement kBeginWrite{"begin_write", "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"};
constexpr Statement kCommit{"commit", "COMMIT"};
constexpr Statement kRollback{"rollback", "ROLLBACK"};

bool IsWrite(Access access) {
  return access == Access::kWrite || access == Access::kWriteUnawaited;
}

}  // namespace

Tx::Tx(Connection& connection, Access access, std::optional<std::chrono::steady_clock::time_point> deadline)
    : connection_(connection), access_(access), deadline_(deadline) {}

void Tx::Begin(const Statement& next) {
  if (deadline_ && std::chrono::steady_clock::now() > *deadline_)
    throw Unavailable("deadline of the request passed");
  if (access_ == Access::kReadOnce && begun_) throw Failure("a second statement in ReadOnce");
  // A single statement is its own transaction, unless planner settings must be switched with it.
  if (!begun_ && (access_ != Access::kReadOnce || next.plan != plan_)) {
    // Sent with the first statement. A read transaction sees one snapshot and fails if it writes.
    connection_.QueueCommand(IsWrite(access_) ? kBeginWrite : kBeginRead);
    in_block_ = true;
  }
  begun_ = true;
  if (next.plan != plan_) {
    connection_.QueueCommand(SwitchTo(next.plan));
    plan_ = next.plan;
  }
}

Rows Tx::Run(const Statement& statement, std::initializer_list<Param> params) {
  Begin(statement);
  return connection_.Run(statement, {params.begin(), params.size()});
}

Answer Tx::Send(const Statement& statement, std::initializer_list<Param> params) {
  Begin(statement);
  return connection_.Ask(statement, {params.begin(), params.size()});
}

void Tx::Queue(const Statement& statement, std::initializer_list<Param> params) {
  Begin(statement);
  connection_.Queue(statement, {params.begin(), params.size()});
}

void Tx::RunEach(const Statement& statement, const std::function<void(const Row&)>& row,
                 std::initializer_list<Param> params) {
  Begin(statement);
  connection_.Each(statement, {params.begin(), params.size()}, row);
}

std::optional<Row> Tx::Only(const Statement& statement, const Rows& rows, bool required) {
  if (rows.size() > 1 || (required && rows.empty())) {
    throw Failure(std::string(statement.name) + ": expected one row, got " + std::to_string(rows.size()));
  }
  if (rows.empty()) return std::nullopt;
  return rows[0];
}

void Tx::Commit() {
  if (!in_block_) return;
  // Prepare first: a failure in these round trips, before the COMMIT, can be retried.
  connection_.Prepare(kCommit);
  if (!IsWrite(access_)) {
    connection_.QueueCommand(kCommit);
    return connection_.FlushLater();
  }
  try {
    connection_.QueueCommand(kCommit);
    if (access_ == Access::kWriteUnawaited) return connection_.FlushLater();
    if (connection_.Flush() != "COMMIT") throw Failure("transaction was rolled back instead of committed");
  } catch (const ConnectionLost& lost) {
    throw CommitUnknown(lost.what());
  } catch (const Failure& failure) {
    if (connection_.IsBroken()) throw CommitUnknown(failure.what());
    throw;
  }
}

void Tx::Rollback() noexcept {
  if (!in_block_ || connection_.IsBroken()) return;
  try {
    connection_.DropQueue();
    connection_.QueueCommand(kRollback);
    connection_.Flush();
  } catch (const std::exception&) {
    // The server rolls back when the connection is lost; Database sees that it is broken.
  }
}

}  // namespace syncline::sql
