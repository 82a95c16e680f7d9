#pragma once
// How titles come from the upstream into the catalogue: on the first request for one, when a copy gets stale, and on
// request. No transaction and no lock is held while the upstream is asked.
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "handlers/anime/title_store.h"
#include "handlers/base/context.h"
#include "handlers/base/job.h"
#include "handlers/base/request.h"

namespace syncline::anime {

/// The title, from the catalogue or, the first time, from the upstream; many callers at once ask it once. None: the
/// upstream has no such title, or had none within the last hours. Throws as Jikan, and Error TooMany
/// "too_many_requests" if this network has caused too many requests to the upstream.
std::optional<Title> FindOrFetch(Context& context, const Request& request, std::int64_t mal_id);

/// Lets a job in the background refresh a copy that is too old; at most once in ten minutes for each title, and ten in a
/// minute for each network. Without Redis nothing happens.
void RefreshLater(Context& context, const Request& request, std::int64_t mal_id);

/// Enqueues a job for one title, or for the first `limit` of the top list. Returns the unfinished one that somebody has
/// asked for, if there is one.
JobId EnqueueSyncTitle(Context& context, std::int64_t mal_id);
/// For titles that nobody waits for: jobs that somebody has asked for go first, and accounts take turns. `user`: whose
/// turn it takes; none: the system's.
JobId EnqueueSyncInBackground(sql::Tx& tx, std::int64_t mal_id, std::optional<UserId> user = std::nullopt);
JobId EnqueueSyncTop(Context& context, std::int64_t limit);

/// The bodies of these jobs. Idempotent. That a known title cannot be had is recorded with the reason and with the time of
/// the next attempt (RetryAt). The job ends with this; one that `is_patient` waits until then if only the name is known.
/// If a title that we do not know cannot be had, the attempt has failed; that MAL does not know it either is an answer, and
/// ends the job with the message "not_at_mal".
void SyncTitle(Context& context, std::int64_t mal_id, bool is_patient, JobControl& control);
void SyncTop(Context& context, std::int64_t limit, JobControl& control);
/// The titles of the present season and of the next one.
void WarmUp(Context& context, JobControl& control);

/// An answer of the upstream as it is, kept for an hour; older ones serve while the upstream is away.
struct ProxiedAnswer {
  std::string data;  ///< JSON
  std::int64_t age_seconds = 0;
  bool is_stale = false;
};
/// Names an answer in Redis.
struct CacheKey {
  std::string kind;  ///< "search"
  std::string name;  ///< among those of its kind; without blanks
  std::chrono::seconds keep = std::chrono::hours(24);
};
/// The kept answer, or that of `fetch`, which asks the upstream; none: it has no such thing. Large answers are not kept.
/// Throws as FindOrFetch.
std::optional<ProxiedAnswer> AskThroughCache(Context& context, const Request& request, const CacheKey& key,
                                             const std::function<std::optional<std::string>()>& fetch);
/// The same for a title with everything the upstream has. Remembers, as FindOrFetch does, that it has none.
std::optional<ProxiedAnswer> FindAtUpstream(Context& context, const Request& request, std::int64_t mal_id);

}  // namespace syncline::anime
