#pragma once
// Finds expired sessions and history of all accounts, for the sweeps and the doctor. The stores of
// collections then remove them account by account; only expired problem reports are deleted here.
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "handlers/anki/objects/rows_wire.h"
#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::anki {

class SweepStore {
 public:
  SweepStore(sql::Tx& tx, UserId /*nobody*/) : tx_(tx) {}
  /// At most `limit`, in order of expiry.
  std::vector<UserId> AccountsWithExpiredSessions(int limit);
  /// Account and generation of collections replaced more than `days` days ago; at most `limit`, oldest first.
  std::vector<std::pair<UserId, std::int32_t>> ExpiredHistory(std::int64_t days, int limit);
  /// Accounts with media that were replaced more than `days` days ago; at most `limit`, oldest first.
  std::vector<UserId> AccountsWithOldMedia(std::int64_t days, int limit);
  struct ExpiredPoints {
    UserId user;
    std::int32_t generation;
    Usn usn;
  };
  /// Per account, the newest point of more than `days` days ago; at most `limit`.
  std::vector<ExpiredPoints> PointsExpired(std::int64_t days, int limit);
  /// At most `limit` accounts with kept rows of dropped points.
  std::vector<UserId> AccountsWithForgottenPoints(int limit);
  /// Account and job of imports received more than `days` days ago; at most `limit`, oldest first.
  std::vector<std::pair<UserId, JobId>> ExpiredImports(std::int64_t days, int limit);
  void ExpireStagingRates();
  /// Whether the tables of staged rows are large and mostly empty.
  bool IsStagingBloated();
  /// Gives the room of dead staged rows back to the system. Not in a transaction: only in
  /// sql::Database::ReadOnce.
  void VacuumStaging();
  /// As VacuumStaging, for the indexes, which VACUUM does not shrink. Skips tables with rows, and those in use.
  void TruncateEmptyStaging();
  void ExpireProblems(std::int64_t days);
  /// When a job of this kind last finished; none if never, or if that job is no longer kept.
  std::optional<sql::Time> LastDone(std::string_view kind);

 private:
  sql::Tx& tx_;
};

}  // namespace syncline::anki
