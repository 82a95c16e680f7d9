#pragma once
// The client of the Jikan API: fetches titles, lists and searches within the budget that all processes share.
//
// Nothing here uses the database: callers hold neither a transaction nor a connection meanwhile. Callers that
// may miss the same title concurrently call Title inside DoOnce (handlers/base/single_flight.h), with the key
// JikanTitleKey.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/anime/jikan_wire.h"
#include "handlers/base/context.h"
#include "handlers/base/job.h"
#include "handlers/base/upstream.h"

namespace syncline::anime {

/// Validators of the caller's copy, stored with it. Empty: none.
struct JikanValidators {
  std::string etag, last_modified;
};

struct JikanTitleAnswer {
  enum class Kind {
    kFound,
    kNotFound,     ///< MAL has no such entry
    kNotModified,  ///< the caller's copy is current
  } kind = Kind::kFound;
  JikanTitle title{};            ///< of kFound
  JikanValidators validators{};  ///< of kFound, to be kept
  std::optional<std::chrono::system_clock::time_point>
      expires{};  ///< when the upstream refreshes its own copy
};

/// Lists of titles. `page` from 1, `limit` 1 to 25.
struct JikanTop {
  int page = 1, limit = 25;
  std::string filter{};  ///< airing, upcoming, bypopularity, favorite; empty: by score
};
struct JikanSearch {
  /// At most kMaxQueryCharacters; control characters are replaced by blanks, because the upstream refuses them.
  std::string text;
  int page = 1, limit = 25;
};
inline constexpr std::size_t kMaxQueryCharacters = 255;

/// "jikan:title:<id>"
std::string JikanTitleKey(std::int64_t mal_id);

/// All calls throw
/// - Error Upstream (502) "upstream_failed", "upstream_malformed" (not JSON, or not whole), "upstream_refused" (our request was wrong), or
///   "upstream_" and the name of an HttpFailure: after the last attempt. The code is the reason to record.
/// - Error Busy (503) "upstream_busy" with Retry-After: throttled, the breaker is open, or no turn in time;
///   "redis_unavailable".
/// For a job, Busy becomes JobPutOff, after a pause of Retry-After but 30 s at most, and JobStopped comes through.
class Jikan {
 public:
  /// For a handler: a person waits, 10 s at most.
  explicit Jikan(Context& context);
  /// For a job: the background budget, 120 s at most for a call. `control` must outlive it.
  Jikan(Context& context, JobControl& control);

  /// GET /anime/{id}/full, with the validators as a conditional request. Only this call returns a title's
  /// relations.
  JikanTitleAnswer Title(std::int64_t mal_id, const JikanValidators& validators = {});
  /// GET /top/anime
  JikanPage Top(const JikanTop& top);
  /// GET /anime?q=
  JikanPage Search(const JikanSearch& search);
  /// GET /seasons/now and /seasons/upcoming. Use the season in each title, not that of the page.
  JikanPage SeasonNow(int page = 1);
  JikanPage SeasonUpcoming(int page = 1);
  /// GET /genres/anime
  std::vector<JikanGenre> Genres(GenreKind kind);

  /// The member `data` of an answer, as unchanged JSON: of GET /anime/{id}/full, /top/anime and /anime?q=.
  /// None: the upstream answers 404.
  std::optional<std::string> RawTitle(std::int64_t mal_id);
  std::optional<std::string> RawTop(const JikanTop& top);
  std::optional<std::string> RawSearch(const JikanSearch& search);

 private:
  Jikan(Context& context, JobControl* control);
  HttpResponse Get(const std::string& target, const JikanValidators& validators = {});
  JikanPage Page(const std::string& target);
  std::optional<std::string> Raw(const std::string& target);

  Urgency urgency_;
  Waiter wait_;
  CallRules rules_;
  HttpUrl base_;
  HttpClient client_;
  Upstream upstream_;
};

}  // namespace syncline::anime
