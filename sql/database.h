#pragma once
// The database of one slot: one lazily opened connection and the rules for retrying a transaction.
//
//   serialization failure, deadlock   the whole block is retried, a few times
//   connection lost before COMMIT     the block is retried once on a new connection
//   connection lost during COMMIT     CommitUnknown, never retried
//   anything else                     rolled back and rethrown
//
// A block may therefore run more than once: it must change nothing but its result.
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "sql/connection.h"
#include "sql/errors.h"
#include "sql/tx.h"

namespace syncline::sql {

class Database {
 public:
  explicit Database(Settings settings, Observer* observer = nullptr)
      : settings_(std::move(settings)), observer_(observer) {}

  /// Runs `block(Tx&)` in a read-only transaction on one snapshot and returns its result.
  template <typename F>
  auto Read(F&& block) {
    return Returning(Access::kRead, std::forward<F>(block));
  }
  /// As Read, for a block with one statement, without BEGIN and COMMIT, which are half the cost of a short
  /// read. A second statement throws Failure.
  template <typename F>
  auto ReadOnce(F&& block) {
    return Returning(Access::kReadOnce, std::forward<F>(block));
  }
  /// Runs `block(Tx&)`, commits when it returns, rolls back when it throws.
  template <typename F>
  auto Write(F&& block) {
    return Returning(Access::kWrite, std::forward<F>(block));
  }

  /// As Write, for best-effort writes that may be lost with the connection: does not wait for the COMMIT. Row
  /// locks are held until it completes.
  template <typename F>
  auto WriteUnawaited(F&& block) {
    return Returning(Access::kWriteUnawaited, std::forward<F>(block));
  }

  /// Statements after `deadline` throw Unavailable, and so does one that is not answered by then, together with
  /// its connection; a COMMIT throws CommitUnknown. None: no deadline.
  void SetDeadline(std::optional<std::chrono::steady_clock::time_point> deadline) { deadline_ = deadline; }
  void SetObserver(Observer* observer) {
    observer_ = observer;
    if (connection_ != nullptr) connection_->SetObserver(observer);
  }
  /// Closes the connection until the next transaction: for a request that then waits long without it.
  void Disconnect() { connection_.reset(); }
  const Settings& settings() const { return settings_; }
  /// How many connections have been opened so far.
  std::int64_t connects() const { return connects_; }

 private:
  void Run(Access access, const std::function<void(Tx&)>& block);

  template <typename F>
  auto Returning(Access access, F&& block) {
    using Result = std::invoke_result_t<F, Tx&>;
    if constexpr (std::is_void_v<Result>) {
      Run(access, [&](Tx& tx) { block(tx); });
    } else {
      std::optional<Result> result;
      Run(access, [&](Tx& tx) { result.emplace(block(tx)); });
      return std::move(*result);
    }
  }

  Settings settings_;
  Observer* observer_;
  std::unique_ptr<Connection> connection_;
  std::int64_t connects_ = 0;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
};

}  // namespace syncline::sql
