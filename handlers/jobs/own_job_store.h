#pragma once
// The jobs that an account may see, for the account. job_store.h is for workers and operators.
#include <cstdint>
#include <optional>
#include <string>

#include "handlers/base/context.h"
#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::jobs {

struct OwnJob {
  JobId id{};
  std::string kind, state;  ///< of the table jobs
  int attempts = 0;
  bool cancel_requested = false;
  std::int64_t done = 0, total = 0;
  std::string message;
  sql::Time created_at;
  std::optional<sql::Time> started_at, finished_at;
};

class OwnJobStore {
 public:
  OwnJobStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}
  /// A job that the account enqueued, or a shared one; for an administrator, any job. None if `device`, the
  /// caller's login, was revoked meanwhile.
  std::optional<OwnJob> Find(JobId job, DeviceId device, Roles roles);
  /// False: it is finished, or another account enqueued it and this account is not an administrator.
  bool Cancel(JobId job, Roles roles);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::jobs
