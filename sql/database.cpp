#include "sql/database.h"

#include <random>
#include <thread>

namespace syncline::sql {
namespace {

// A conflict means that another transaction made progress, so a few tries suffice for any load we admit.
constexpr int kConflictTries = 5;

void Backoff(int attempt) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  std::this_thread::sleep_for(std::chrono::milliseconds(random() % (5u << attempt)));
}

}  // namespace

void Database::Run(Access access, const std::function<void(Tx&)>& block) {
  int conflicts = 0;
  bool lost_once = false;
  for (;;) {
    if (connection_ != nullptr) connection_->SetDeadline(deadline_);
    if (connection_ == nullptr || !connection_->Settle()) {
      connection_.reset();
      connection_ = std::make_unique<Connection>(settings_, observer_);
      connection_->SetDeadline(deadline_);
      ++connects_;
    }
    Tx tx(*connection_, access, deadline_);
    try {
      block(tx);
      tx.Commit();
      if (connection_->IsBloated()) {
        connection_->Settle();  // an unawaited commit
        connection_.reset();
      }
      return;
    } catch (const CommitUnknown&) {
      connection_.reset();
      throw;
    } catch (const ConnectionLost&) {
      connection_.reset();
      const bool is_late = deadline_ && std::chrono::steady_clock::now() >= *deadline_;
      if (is_late || std::exchange(lost_once, true)) throw;
    } catch (const Conflict&) {
      tx.Rollback();
      if (++conflicts == kConflictTries) throw;
      Backoff(conflicts);
    } catch (...) {
      tx.Rollback();
      throw;
    }
  }
}

}  // namespace syncline::sql
