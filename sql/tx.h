#pragma once
// A transaction, as stores see it. Only Database creates one; a store never commits.
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "sql/connection.h"
#include "sql/rows.h"
#include "sql/statement.h"

namespace syncline::sql {

/// kReadOnce: a single statement without BEGIN and COMMIT. kWriteUnawaited: a write whose COMMIT is sent but
/// not awaited.
enum class Access { kRead, kReadOnce, kWrite, kWriteUnawaited };

/// The result of an in-flight statement, read as a T.
template <typename T>
class [[nodiscard]] Asked {
 public:
  Asked(Answer answer, T (*read)(const Rows& rows)) : answer_(std::move(answer)), read_(read) {}
  T Get() { return read_(answer_.Get()); }

 private:
  Answer answer_;
  T (*read_)(const Rows& rows);
};

class Tx {
 public:
  Tx(const Tx&) = delete;
  Tx& operator=(const Tx&) = delete;

  template <typename... Args>
  Rows Query(const Statement& statement, const Args&... args) {
    return Run(statement, {Param(args)...});
  }
  /// The only row; throws Failure if there is none or more than one.
  template <typename... Args>
  Row One(const Statement& statement, const Args&... args) {
    return Only(statement, Run(statement, {Param(args)...}), /*required=*/true).value();
  }
  template <typename... Args>
  std::optional<Row> MaybeOne(const Statement& statement, const Args&... args) {
    return Only(statement, Run(statement, {Param(args)...}), /*required=*/false);
  }
  /// Rows inserted, updated or deleted.
  template <typename... Args>
  std::int64_t Execute(const Statement& statement, const Args&... args) {
    return Run(statement, {Param(args)...}).affected();
  }
  /// As Query, without waiting: consecutive Asks share one round trip. The answer stays valid after the
  /// commit.
  template <typename... Args>
  Answer Ask(const Statement& statement, const Args&... args) {
    return Send(statement, {Param(args)...});
  }
  /// As Execute, without waiting: it is sent with the next statement or the commit, which throws its error.
  template <typename... Args>
  void Later(const Statement& statement, const Args&... args) {
    Queue(statement, {Param(args)...});
  }
  /// Passes on rows one at a time, in constant memory. The callback must not use this Tx.
  template <typename... Args>
  void Each(const Statement& statement, const std::function<void(const Row&)>& row, const Args&... args) {
    RunEach(statement, row, {Param(args)...});
  }

 private:
  friend class Database;
  friend struct Intruder;  // see Connection
  Tx(Connection& connection, Access access, std::optional<std::chrono::steady_clock::time_point> deadline);
  void Commit();
  void Rollback() noexcept;
  void Begin(const Statement& next);

  Rows Run(const Statement& statement, std::initializer_list<Param> params);
  Answer Send(const Statement& statement, std::initializer_list<Param> params);
  void Queue(const Statement& statement, std::initializer_list<Param> params);
  void RunEach(const Statement& statement, const std::function<void(const Row&)>& row,
               std::initializer_list<Param> params);
  static std::optional<Row> Only(const Statement& statement, const Rows& rows, bool required);

  Connection& connection_;
  Access access_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  bool begun_ = false;
  bool in_block_ = false;     // between BEGIN and COMMIT
  Plan plan_ = Plan::kByKey;  // current planner settings; reset when the transaction ends
};

}  // namespace syncline::sql
