#pragma once
// What the nightly and hourly work over all accounts looks for. Locks nothing; what is found is removed by the
// stores of collections, account by account.
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::anki {

class SweepStore {
 public:
  SweepStore(sql::Tx& tx, UserId /*nobody*/) : tx_(tx) {}
  /// At most `limit`, those first that expired first.
  std::vector<UserId> AccountsWithExpiredSessions(int limit);
  /// Account and generation of replaced collections that are older than `days`; at most `limit`.
  std::vector<std::pair<UserId, std::int32_t>> ExpiredHistory(std::int64_t days, int limit);
  void ExpireProblems(std::int64_t days);
  /// When a job of this kind was last done; none: never, or longer ago than jobs are kept.
  std::optional<sql::Time> LastDone(std::string_view kind);

 private:
  sql::Tx& tx_;
};

}  // namespace syncline::anki
