#pragma once
// Answers of the Jikan API, version 4, as structs. Pure.
//
// A title is accepted completely or not at all: without its id and a title it is malformed, and so is an
// answer with unexpected JSON. For the other members null means unknown, and so does a value of another type.
// But an item that lacks a member or a list of genres is truncated and therefore malformed: if it counted as
// unknown, it would clear stored values. Sources: the API's own description (jikan-rest,
// storage/api-docs/api-docs.json) and its observed answers.
//
// Left out on purpose: studios, broadcasts, trailers; what is stored of a title (the store decides).
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/http_out.h"
#include "handlers/base/upstream.h"

namespace syncline::anime {

enum class AiringStatus { kFinished, kAiring, kUpcoming };
enum class Season { kWinter, kSpring, kSummer, kFall };
enum class GenreKind { kGenre, kTheme, kDemographic, kExplicit };

struct JikanGenre {
  std::int64_t mal_id = 0;
  std::string name;  ///< in the spelling of MAL, trimmed; 1 to kMaxGenreCharacters
  GenreKind kind = GenreKind::kGenre;
  bool operator==(const JikanGenre&) const = default;
};

struct JikanRelation {
  std::string relation;  ///< the kind of relation, in MAL's words: "Sequel"; 1 to 100 characters
  bool is_manga = false;
  std::int64_t mal_id = 0;
  std::string name;  ///< 1 to kMaxTitleCharacters
  bool operator==(const JikanRelation&) const = default;
};

/// Texts are UTF-8 without NUL, trimmed, and not empty.
struct JikanTitle {
  std::int64_t mal_id = 0;  ///< 1 or more
  std::string title;        ///< the default one; 1 to kMaxTitleCharacters
  std::optional<std::string> title_english, title_japanese;
  std::vector<std::string> synonyms;  ///< all other titles, in any language, without duplicates
  std::optional<std::string> synopsis;
  std::optional<double> score;           ///< above 0, at most 10
  std::optional<std::int64_t> episodes;  ///< 1 or more
  std::optional<AiringStatus> status;
  std::string unknown_status;  ///< the word, if `status` is none because of it: for the log
  std::optional<Season> season;
  /// As given; else derived from the start date; a winter season that starts in December belongs to the next
  /// year. kMinYear to kMaxYear.
  std::optional<std::int64_t> year;
  std::optional<std::string> image_url;  ///< http or https
  std::vector<JikanGenre> genres;        ///< all four kinds, each id once
  std::optional<std::string> type, rating;
  std::optional<std::chrono::year_month_day> aired_from, aired_to;  ///< whole and valid dates only
  std::optional<std::int64_t> scored_by, rank, popularity, members;
  bool is_approved = true;
  /// Each relation to each title once. None: the answer does not include relations; lists of titles never do.
  std::optional<std::vector<JikanRelation>> relations;
};

struct JikanPage {
  std::vector<JikanTitle> titles;  ///< each id once
  /// One line for each item that was left out: its place and the reason.
  std::vector<std::string> malformed;
  /// Only a hint: some servers return true for ever. Stop at the first page without a new id.
  bool has_next = false;
};

inline constexpr std::int64_t kMinYear = 1900, kMaxYear = 2100;
inline constexpr std::int64_t kMaxMalId = 2'147'483'647;
inline constexpr std::size_t kMaxTitleCharacters = 2'000;
inline constexpr std::size_t kMaxGenreCharacters = 200;
inline constexpr std::size_t kMaxUrlBytes = 2'000;
/// Further ones are ignored.
inline constexpr std::size_t kMaxTitles = 200, kMaxGenres = 200, kMaxRelations = 500;
/// Pages have 25 items.
inline constexpr std::size_t kMaxItems = 100;

/// A malformed answer; what() has the reason, for the log and the job's errors.
class BadJikan : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The answer to /anime/{id} and /anime/{id}/full. Throws BadJikan, also for another title than `mal_id`.
JikanTitle ParseJikanTitle(std::string_view body, std::int64_t mal_id);
/// The answer to /top/anime, /anime and /seasons/... Throws BadJikan if the page itself is malformed.
JikanPage ParseJikanPage(std::string_view body);
/// The answer to /genres/anime. Throws BadJikan.
std::vector<JikanGenre> ParseJikanGenres(std::string_view body, GenreKind kind);

/// Classifies an answer by its status and the presence of `data`, never by `message`. Valid answers are 200
/// with data, 304, 404 in Jikan's own form (a proxy's 404 says nothing about a title), and 400 and 405, which
/// are our mistakes. Everything else is a failure or throttling; 200 with anything but JSON has the code
/// "upstream_malformed".
Verdict JudgeJikan(const HttpResponse& response);

}  // namespace syncline::anime
