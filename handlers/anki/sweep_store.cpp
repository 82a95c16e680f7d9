#include "handlers/anki/sweep_store.h"

#include "handlers/base/job.h"
#include "sql/queries/anki.h"

namespace syncline::anki {

std::vector<UserId> SweepStore::AccountsWithExpiredSessions(int limit) {
  std::vector<UserId> users;
  for (const sql::Row& row : tx_.Query(sql::anki::expired_sessions, limit)) {
    users.push_back(row["user_id"].As<UserId>());
  }
  return users;
}

std::vector<std::pair<UserId, std::int32_t>> SweepStore::ExpiredHistory(std::int64_t days, int limit) {
  std::vector<std::pair<UserId, std::int32_t>> found;
  for (const sql::Row& row : tx_.Query(sql::anki::expired_history, days, limit)) {
    found.emplace_back(row["user_id"].As<UserId>(), row["generation"].As<std::int32_t>());
  }
  return found;
}

void SweepStore::ExpireProblems(std::int64_t days) {
  tx_.Later(sql::anki::expire_problems, days);
}

std::optional<sql::Time> SweepStore::LastDone(std::string_view kind) {
  return LastJobDone(tx_, kind);
}

}  // namespace syncline::anki
