#pragma once
// What a handler or job body may use besides its input: the database on behalf of one user, Redis, the clock,
// the configuration. Belongs to one request or job; nothing in it outlives that.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "handlers/base/config.h"
#include "handlers/base/errors.h"
#include "handlers/base/ids.h"
#include "handlers/base/large_turn.h"
#include "handlers/base/redis.h"
#include "handlers/base/seal.h"
#include "sql/database.h"

namespace syncline {

/// The caller, as authenticated by the dialect. For a job: the account it works for.
struct Identity {
  UserId user{};
  DeviceId device{};  ///< 0 for a job
  Roles roles = Roles::kNone;
};

/// Used in place of a store in Context::Write by code that needs the transaction itself:
/// JobControl::FinishIn, EnqueueJob.
struct Transaction {
  Transaction(sql::Tx& in, UserId) : tx(in) {}
  sql::Tx& tx;
};

class Context : public sql::Observer {
 public:
  using Clock = std::chrono::system_clock;

  /// `request_id` is that of the request, or "job-<id>".
  Context(const Config& config, sql::Database& database, Redis& redis, std::string request_id);
  ~Context() override;

  const Config& config() const { return config_; }
  const std::string& request_id() const { return request_id_; }
  UserId user() const { return identity_.user; }
  DeviceId device() const { return identity_.device; }
  Roles roles() const { return identity_.roles; }
  /// For data that may be lost. Not for use inside a transaction, which would wait for Redis.
  Redis& redis() { return redis_; }
  /// Read from secret_file on first use, then cached by the process. Throws as Secret::Load.
  const Secret& secret() const;
  void SetIdentity(Identity identity) { identity_ = identity; }
  void SetAccess(sql::Access access) { access_ = access; }
  /// The nginx location that serves large requests; empty if this process does.
  void SetLargeElsewhere(std::string_view location) { large_elsewhere_ = location; }
  /// How long the request waited for a slot.
  void SetWaited(std::chrono::milliseconds waited) { waited_ = waited; }
  std::chrono::milliseconds waited() const { return waited_; }
  /// `is_gone` returns whether the client has disconnected; it may be called at any time.
  void SetClient(std::function<bool()> is_gone) { is_client_gone_ = std::move(is_gone); }
  /// Whether the client has disconnected: an endless stream must then end. Always false for a job.
  bool IsClientGone() const { return is_client_gone_ && is_client_gone_(); }
  /// Throws HandOver if another pool serves large requests, ClientGone if the client has disconnected. Call
  /// it for a request that is likely to be large, before reading or changing anything.
  void LeaveToLargePool() const;
  /// Call before holding more than kLargeBytes of a message, received or to be sent, and before changing
  /// anything: another pool may have to run the request from the start. Holds the turn until the request
  /// ends; idempotent. Throws as LeaveToLargePool, and Error Busy if the wait is too long.
  void TakeLargeTurn();
  /// The process is shutting down: an endless stream must end now. Jobs learn it from JobControl.
  bool IsLeaving() const { return leaving_ != nullptr && leaving_->load(std::memory_order_relaxed); }
  void SetLeaving(const std::atomic<bool>* leaving) { leaving_ = leaving; }
  void SetDeadline(std::chrono::steady_clock::time_point deadline) {
    deadline_ = deadline;
    database_.SetDeadline(deadline);
  }
  /// The deadline of the request or job.
  std::optional<std::chrono::steady_clock::time_point> deadline() const { return deadline_; }
  Clock::time_point Now() const { return Clock::now(); }
  std::int64_t NowMs() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Now().time_since_epoch()).count();
  }
  std::int64_t NowSeconds() const { return NowMs() / 1000; }

  /// For streams of blobs, which use their own short transactions; everything else uses Read and Write.
  template <typename F>
  auto WithDatabase(F&& block) {
    return Translated([&] { return block(database_); });
  }

  /// Opens the stores, each as Store(tx, user), on one snapshot, read-only, and returns what the block
  /// returns: Read<DeckStore, CardStore>([](DeckStore& decks, CardStore& cards) { ... }).
  template <typename... Stores, typename F>
  auto Read(F&& block) {
    return Translated([&] { return database_.Read(With<Stores...>(block)); });
  }
  /// As Read, for a block of one statement (see sql/database.h).
  template <typename... Stores, typename F>
  auto ReadOnce(F&& block) {
    return Translated([&] { return database_.ReadOnce(With<Stores...>(block)); });
  }
  /// As Read, in a transaction that commits when the block returns and rolls back when it throws. The block
  /// may run more than once (see sql/database.h): it must change nothing outside itself. Keep slow work
  /// outside.
  template <typename... Stores, typename F>
  auto Write(F&& block) {
    RequireWriteAccess();
    return Translated([&] { return database_.Write(With<Stores...>(block)); });
  }
  /// As Write, for best-effort writes (see sql/database.h).
  template <typename... Stores, typename F>
  auto WriteUnawaited(F&& block) {
    RequireWriteAccess();
    return Translated([&] { return database_.WriteUnawaited(With<Stores...>(block)); });
  }

  void OnStatement(const char* name, std::chrono::microseconds took) override;
  void OnWait(const char* last, std::chrono::microseconds took) override;
  int statements() const { return statements_; }
  std::chrono::microseconds database_time() const { return database_time_; }

 private:
  void RequireWriteAccess() const {
    if (access_ == sql::Access::kRead)
      throw Error(ErrorKind::kInternal, "internal", "write on a read-only route");
  }

  /// Wraps the block as one of a transaction, with its stores opened for the user.
  template <typename... Stores, typename F>
  auto With(F& block) const {
    return [this, &block](sql::Tx& tx) { return Call(block, Stores(tx, identity_.user)...); };
  }
  template <typename F, typename... Stores>
  static auto Call(F& block, Stores&&... stores) {
    return block(stores...);
  }

  /// The only place that maps errors of sql/ to Error.
  template <typename F>
  auto Translated(F&& f) -> decltype(f()) {
    try {
      return f();
    } catch (const sql::CommitUnknown& e) {
      throw Error(ErrorKind::kInternal, "internal", std::string("outcome of commit unknown: ") + e.what());
    } catch (const sql::Conflict& e) {
      throw Busy("busy", e.what());
    } catch (const sql::LockTimeout& e) {
      throw Busy("busy", e.what());
    } catch (const sql::Unavailable& e) {
      throw Busy("database_unavailable", e.what());
    } catch (const sql::ConstraintViolated& e) {
      // PostgreSQL's default name of the reference to users, in every table with user data.
      if (e.constraint().ends_with("_user_id_fkey")) throw AccountGone();
      throw Error(ErrorKind::kInternal, "internal", e.what());
    } catch (const sql::Failure& e) {
      throw Error(ErrorKind::kInternal, "internal", e.what());
    }
  }

  const Config& config_;
  sql::Database& database_;
  Redis& redis_;
  std::string request_id_;
  Identity identity_;
  const std::atomic<bool>* leaving_ = nullptr;
  sql::Access access_ = sql::Access::kWrite;
  std::string large_elsewhere_;
  std::chrono::milliseconds waited_{0};
  std::function<bool()> is_client_gone_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  std::optional<LargeTurn> large_turn_;
  int statements_ = 0;
  std::chrono::microseconds database_time_{0};
};

}  // namespace syncline
