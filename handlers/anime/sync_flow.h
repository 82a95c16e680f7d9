#pragma once
// Fetches titles from the upstream into the catalogue: on the first request for a title, when a copy becomes
// stale, and on request. No transaction and no lock is held during a request to the upstream.
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

/// The title, from the catalogue or, the first time, from the upstream; concurrent callers cause one upstream
/// request. None: the upstream has no such title, or had none within the last hours. Throws as Jikan, and
/// Error TooMany "too_many_requests" if this network has caused too many requests to the upstream.
std::optional<Title> FindOrFetch(Context& context, const Request& request, std::int64_t mal_id);

/// Enqueues a background job that refreshes a stale copy; at most once in ten minutes for each title, and ten
/// in a minute for each network. Without Redis nothing happens.
void RefreshLater(Context& context, const Request& request, std::int64_t mal_id);

/// Enqueues a job for one title, or for the first `limit` of the top list. Returns the unfinished requested
/// job instead, if there is one.
JobId EnqueueSyncTitle(Context& context, std::int64_t mal_id);
/// For titles that nobody waits for: requested jobs have priority, and accounts take turns. `user`: the
/// account that it counts for; none: the system.
JobId EnqueueSyncInBackground(sql::Tx& tx, std::int64_t mal_id, std::optional<UserId> user = std::nullopt);
JobId EnqueueSyncTop(Context& context, std::int64_t limit);

/// The bodies of these jobs. Idempotent. If a known title cannot be fetched, the reason and the time of the
/// next attempt (RetryAt) are recorded, and the job ends; if only the name is known, an `is_patient` job
/// waits until then instead. If an unknown title cannot be fetched, the attempt fails; but if MAL has no such
/// title, the job ends with the message "not_at_mal".
void SyncTitle(Context& context, std::int64_t mal_id, bool is_patient, JobControl& control);
void SyncTop(Context& context, std::int64_t limit, JobControl& control);
/// The titles of the current season and of the next one.
void WarmUp(Context& context, JobControl& control);

/// An unchanged answer of the upstream, cached for an hour; older ones are used while the upstream is down.
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
/// The cached answer, or that of `fetch`, which asks the upstream; none: the upstream answers 404. Large
/// answers are not cached. Throws as FindOrFetch.
std::optional<ProxiedAnswer> AskThroughCache(Context& context, const Request& request, const CacheKey& key,
                                             const std::function<std::optional<std::string>()>& fetch);
/// The same for a title with everything the upstream has. Like FindOrFetch it remembers missing titles.
std::optional<ProxiedAnswer> FindAtUpstream(Context& context, const Request& request, std::int64_t mal_id);

}  // namespace syncline::anime
