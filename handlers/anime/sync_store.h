#pragma once
// Writes upstream data into the catalogue: titles with their genres in one transaction, so that no reader
// sees one without the other; and titles that the upstream does not have.
//
// Locks: genres by ascending id, then titles by ascending id, in every transaction, so that syncs cannot
// deadlock.
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "handlers/anime/jikan.h"
#include "handlers/anime/title_rules.h"
#include "handlers/base/ids.h"
#include "handlers/base/job.h"
#include "sql/tx.h"

namespace syncline::anime {

/// The copy of a title, as a sync needs it.
struct KnownCopy {
  bool is_manual = false;      ///< written by hand
  bool has_content = false;    ///< more than a name
  bool has_relations = false;  ///< the upstream has told them, even if there are none
  int failures = 0;            ///< in a row
  JikanValidators validators;
  std::optional<AiringStatus> status;
  std::optional<std::chrono::year_month_day> aired_to;
};

struct FreshTitle {
  JikanTitle title;
  JikanValidators validators{};
  Time stale_at{};
};

struct SyncJob {
  JobId id{};
  std::string kind, state;
  std::int64_t done = 0, total = 0;
  std::string message;
  std::optional<std::string> error;  ///< private
};

class SyncStore {
 public:
  SyncStore(sql::Tx& tx, UserId) : tx_(tx) {}

  std::optional<KnownCopy> Find(std::int64_t mal_id);
  /// Stores titles with their genres and, if present, their relations; each id once. `replaces_manual`: also
  /// replaces titles written by hand, which are otherwise unchanged.
  void Save(std::span<const FreshTitle> titles, bool replaces_manual);
  void Confirm(std::int64_t mal_id, Time stale_at);
  /// For a known title.
  void MarkGone(std::int64_t mal_id, Time ask_again_at);
  /// For a known title; others are ignored. `code` is the reason.
  void MarkFailed(std::int64_t mal_id, const std::string& code, Time ask_again_at);
  void RememberMissing(std::int64_t mal_id, std::chrono::seconds time);

  std::optional<SyncJob> FindJob(JobId id);
  void SweepMissing();
  /// Deletes name-only titles that the upstream does not know and nothing refers to, among the first `limit`
  /// after the id `after`. Returns the last id that was checked; none: there are no more.
  std::optional<std::int64_t> SweepStubs(std::int64_t after, std::int64_t limit);
  /// Deletes changes of lists that are older than `days`; returns how many, at most `limit`.
  std::int64_t SweepHistory(std::int64_t days, std::int64_t limit);

 private:
  void SaveRelations(std::int64_t mal_id, const std::vector<JikanRelation>& relations, bool replaces_manual);

  sql::Tx& tx_;
};

}  // namespace syncline::anime
