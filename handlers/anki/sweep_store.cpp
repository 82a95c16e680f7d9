#include "handlers/anki/sweep_store.h"

#include "handlers/base/job.h"
#include "sql/queries/anki.h"

namespace syncline::anki {

std::vector<UserId> SweepStore::AccountsWithExpiredSessions(int limit) {
  return tx_.Query(sql::anki::expired_sessions, limit).Column<UserId>("user_id");
}

std::vector<std::pair<UserId, std::int32_t>> SweepStore::ExpiredHistory(std::int64_t days, int limit) {
  std::vector<std::pair<UserId, std::int32_t>> found;
  for (const sql::Row& row : tx_.Query(sql::anki::expired_history, days, limit)) {
    found.emplace_back(row["user_id"].As<UserId>(), row["generation"].As<std::int32_t>());
  }
  return found;
}

std::vector<UserId> SweepStore::AccountsWithForgottenPoints(int limit) {
  return tx_.Query(sql::anki::accounts_with_forgotten_points, limit).Column<UserId>("user_id");
}

std::vector<UserId> SweepStore::AccountsWithOldMedia(std::int64_t days, int limit) {
  return tx_.Query(sql::anki::accounts_with_old_media, days, limit).Column<UserId>("user_id");
}

std::vector<SweepStore::ExpiredPoints> SweepStore::PointsExpired(std::int64_t days, int limit) {
  std::vector<ExpiredPoints> found;
  for (const sql::Row& row : tx_.Query(sql::anki::expired_points, days, limit)) {
    found.push_back(
        {row["user_id"].As<UserId>(), row["generation"].As<std::int32_t>(), row["usn"].As<Usn>()});
  }
  return found;
}

std::vector<std::pair<UserId, JobId>> SweepStore::ExpiredImports(std::int64_t days, int limit) {
  std::vector<std::pair<UserId, JobId>> found;
  for (const sql::Row& row : tx_.Query(sql::anki::expired_imports, days, limit)) {
    found.emplace_back(row["user_id"].As<UserId>(), row["job_id"].As<JobId>());
  }
  return found;
}

void SweepStore::ExpireStagingRates() {
  tx_.Later(sql::anki::sweep_staging_rates);
}

bool SweepStore::IsStagingBloated() {
  constexpr std::int64_t kTolerated = std::int64_t{8} << 20;
  const sql::Row size = tx_.One(sql::anki::staging_size);
  return size["disk_bytes"].As<std::int64_t>() > kTolerated + 4 * size["staged_bytes"].As<std::int64_t>();
}

void SweepStore::VacuumStaging() {
  tx_.Execute(sql::anki::vacuum_staging);
}

void SweepStore::TruncateEmptyStaging() {
  tx_.Later(sql::anki::truncate_empty_staging);
}

void SweepStore::ExpireProblems(std::int64_t days) {
  tx_.Later(sql::anki::expire_problems, days);
}

std::optional<sql::Time> SweepStore::LastDone(std::string_view kind) {
  return LastJobDone(tx_, kind);
}

}  // namespace syncline::anki
