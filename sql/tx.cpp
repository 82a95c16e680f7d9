#include "sql/tx.h"

#include <utility>

#include "sql/errors.h"

namespace syncline::sql {
namespace {

// Prepared like any statement: parsing them would be a tenth of what a small transaction costs.
constexpr Statement kBeginRead{"begin_read", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"};
constexpr Statement kBeginWrite{"begin_write", "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"};
constexpr Statement kCommit{"commit", "COMMIT"};
constexpr Statement kRollback{"rollback", "ROLLBACK"};

}  // namespace

Tx::Tx(Connection& connection, Access access, std::optional<std::chrono::steady_clock::time_point> deadline)
    : connection_(connection), access_(access), deadline_(deadline) {}

void Tx::Begin() {
  if (deadline_ && std::chrono::steady_clock::now() > *deadline_)
    throw Unavailable("deadline of the request passed");
  if (access_ == Access::kReadOnce) {
    if (std::exchange(begun_, true)) throw Failure("a second statement in ReadOnce");
    return;
  }
  if (begun_) return;
  // Travels with the first statement. A read sees one snapshot and fails loudly when it writes.
  connection_.QueueCommand(access_ == Access::kRead ? kBeginRead : kBeginWrite);
  begun_ = true;
}

Rows Tx::Run(const Statement& statement, std::initializer_list<Param> params) {
  Begin();
  return connection_.Run(statement, {params.begin(), params.size()});
}

Answer Tx::Send(const Statement& statement, std::initializer_list<Param> params) {
  Begin();
  return connection_.Ask(statement, {params.begin(), params.size()});
}

void Tx::Queue(const Statement& statement, std::initializer_list<Param> params) {
  Begin();
  connection_.Queue(statement, {params.begin(), params.size()});
}

void Tx::RunEach(const Statement& statement, const std::function<void(const Row&)>& row,
                 std::initializer_list<Param> params) {
  Begin();
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
  if (!begun_ || access_ == Access::kReadOnce) return;
  connection_.QueueCommand(kCommit);
  if (access_ == Access::kRead || access_ == Access::kWriteUnawaited) return connection_.FlushLater();
  try {
    if (connection_.Flush() != "COMMIT") throw Failure("transaction was rolled back instead of committed");
  } catch (const ConnectionLost& lost) {
    throw CommitUnknown(lost.what());
  }
}

void Tx::Rollback() noexcept {
  if (!begun_ || access_ == Access::kReadOnce || connection_.IsBroken()) return;
  try {
    connection_.DropQueue();
    connection_.QueueCommand(kRollback);
    connection_.Flush();
  } catch (const std::exception&) {
    // The server rolls back what a lost connection leaves; Database sees that it is broken.
  }
}

}  // namespace syncline::sql
