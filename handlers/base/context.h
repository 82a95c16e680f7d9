#pragma once
// What a handler or the body of a job may use besides its input: the database in the name of one user, the
// clock, the configuration. Belongs to one request or one job; nothing in it outlives that.
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
#include "sql/database.h"

namespace syncline {

/// Who is asking, as established by the dialect. For a job: the account it works for.
struct Identity {
  UserId user{};
  DeviceId device{};  ///< 0 for a job
};

class Context : public sql::Observer {
 public:
  using Clock = std::chrono::system_clock;

  /// `request_id` is that of the request, or "job-<id>".
  Context(const Config& config, sql::Database& database, std::string request_id);
  ~Context() override;

  const Config& config() const { return config_; }
  const std::string& request_id() const { return request_id_; }
  UserId user() const { return identity_.user; }
  DeviceId device() const { return identity_.device; }
  void SetIdentity(Identity identity) { identity_ = identity; }
  void SetAccess(sql::Access access) { access_ = access; }
  /// The nginx location that serves large requests; empty if this process does.
  void SetLargeElsewhere(std::string_view location) { large_elsewhere_ = location; }
  /// Call before holding more than kLargeBytes of a message, received or to be sent, and before changing
  /// anything: another pool may have to run the request from its beginning. Holds the turn until the request
  /// ends; calling it again does nothing. Throws HandOver if another pool serves large requests, Error Busy
  /// if the wait is too long.
  void TakeLargeTurn();
  void SetDeadline(std::chrono::steady_clock::time_point deadline) { database_.SetDeadline(deadline); }
  Clock::time_point Now() const { return Clock::now(); }
  std::int64_t NowMs() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Now().time_since_epoch()).count();
  }
  std::int64_t NowSeconds() const { return NowMs() / 1000; }

  /// For streams of blobs, which make their own short transactions; everything else goes through Read and
  /// Write.
  template <typename F>
  auto WithDatabase(F&& block) {
    return Translated([&] { return block(database_); });
  }

  /// Opens Store(tx, user) on one snapshot, read-only, and returns what the block returns.
  template <typename Store, typename F>
  auto Read(F&& block) {
    return Translated([&] {
      return database_.Read([&](sql::Tx& tx) {
        Store store(tx, identity_.user);
        return block(store);
      });
    });
  }
  /// As Read, for a block of one statement (see sql/database.h).
  template <typename Store, typename F>
  auto ReadOnce(F&& block) {
    return Translated([&] {
      return database_.ReadOnce([&](sql::Tx& tx) {
        Store store(tx, identity_.user);
        return block(store);
      });
    });
  }
  /// As Read, in a transaction that commits when the block returns and rolls back when it throws. The block
  /// may run more than once (see sql/database.h): it changes nothing outside itself. Slow work stays outside.
  template <typename Store, typename F>
  auto Write(F&& block) {
    return Translated([&] {
      RequireWriteAccess();
      return database_.Write([&](sql::Tx& tx) {
        Store store(tx, identity_.user);
        return block(store);
      });
    });
  }
  /// As Write, for what may be lost and hurt nobody (see sql/database.h).
  template <typename Store, typename F>
  auto WriteUnawaited(F&& block) {
    return Translated([&] {
      RequireWriteAccess();
      return database_.WriteUnawaited([&](sql::Tx& tx) {
        Store store(tx, identity_.user);
        return block(store);
      });
    });
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

  /// One place where errors of sql become errors of the project.
  template <typename F>
  auto Translated(F&& f) -> decltype(f()) {
    try {
      return f();
    } catch (const sql::CommitUnknown& e) {
      throw Error(ErrorKind::kInternal, "internal", std::string("outcome of commit unknown: ") + e.what());
    } catch (const sql::Conflict& e) {
      throw Busy("busy", e.what());
    } catch (const sql::Unavailable& e) {
      throw Busy("database_unavailable", e.what());
    } catch (const sql::ConstraintViolated& e) {
      // By PostgreSQL's own naming the reference to users, in every table of users' data.
      if (e.constraint().ends_with("_user_id_fkey")) throw AccountGone();
      throw Error(ErrorKind::kInternal, "internal", e.what());
    } catch (const sql::Failure& e) {
      throw Error(ErrorKind::kInternal, "internal", e.what());
    }
  }

  const Config& config_;
  sql::Database& database_;
  std::string request_id_;
  Identity identity_;
  sql::Access access_ = sql::Access::kWrite;
  std::string large_elsewhere_;
  std::optional<LargeTurn> large_turn_;
  int statements_ = 0;
  std::chrono::microseconds database_time_{0};
};

}  // namespace syncline
