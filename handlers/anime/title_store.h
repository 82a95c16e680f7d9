#pragma once
// The catalogue of titles and genres, shared by all accounts: the protocol's reads, and titles written by
// hand. sync_store.h writes upstream data.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::anime {

struct Genre {
  std::int64_t id = 0;
  std::int64_t mal_id = 0;  ///< 0: none
  std::string kind;         ///< genre, theme, demographic, explicit
  std::string name;
};

struct Title {
  std::int64_t id = 0, mal_id = 0;
  std::string title;
  std::optional<std::string> title_english, title_japanese;
  std::vector<std::string> synonyms;
  std::optional<std::string> synopsis;
  std::optional<double> score;
  std::optional<std::int64_t> episodes;
  std::optional<std::string> status, season;
  std::optional<std::int64_t> year;
  std::optional<std::string> image_url, type, rating, aired_from, aired_to;
  std::optional<std::int64_t> scored_by, rank, popularity, members;
  std::string source, sync_state;
  std::optional<sql::Time> synced_at;
  sql::Time stale_at{}, created_at{}, updated_at{};
  std::vector<Genre> genres;  ///< all kinds, by name
};

struct NewTitle {
  std::int64_t mal_id = 0;
  std::string title;
  std::optional<std::string> title_english{}, title_japanese{}, synopsis{};
  std::optional<double> score{};
  std::optional<std::int64_t> episodes{};
  std::optional<std::string> status{}, season{};
  std::optional<std::int64_t> year{};
  std::optional<std::string> image_url{};
};

/// None: no filter. Texts as the client sent them.
struct TitleFilter {
  std::optional<std::string> status{}, season{};
  std::optional<std::int64_t> year{};
  std::optional<double> min_score{};
  std::optional<std::string> search{};  ///< part of any title
  std::optional<std::string> genre{};   ///< part of any genre's name
  std::optional<std::string> type{};
  std::vector<std::int64_t> genre_ids{};  ///< all of them
  bool with_all_genre_kinds = false;      ///< for `genre`
  bool is_safe = false;                   ///< without explicit titles

  bool IsEmpty() const {
    return !status && !season && !year && !min_score && !search && !genre && !type && genre_ids.empty() &&
           !is_safe;
  }
};

struct TitlePage {
  std::string order = "score";  ///< score, title, newest, members
  std::int64_t limit = 25, offset = 0;
};

struct FoundTitles {
  std::vector<Title> titles;
  bool is_similar = false;  ///< no title contains the text; these resemble it
  std::optional<std::int64_t> total;
};

struct GenreCount {
  Genre genre;
  std::int64_t titles = 0;
};

/// A title or manga related to a title, see JikanRelation.
struct Relation {
  std::string relation, kind, name;
  std::int64_t mal_id = 0;
  std::optional<std::int64_t> anime_id;  ///< if the catalogue has it
};

struct Relations {
  std::int64_t mal_id = 0;  ///< of the title itself
  /// False: this title has not been fetched individually yet.
  bool are_known = true;
  std::vector<Relation> all;  ///< in the upstream's order
};

struct RecommendationRules {
  std::int64_t limit = 10;
  /// Of completed, watching, on_hold, plan_to_watch, dropped, in thousandths.
  std::vector<std::int64_t> weights;
  bool is_by_match = false;  ///< see sql/queries/anime/recommend_by_match.sql
  bool hides_unseen_sequels = false;
};

class TitleStore {
 public:
  TitleStore(sql::Tx& tx, UserId) : tx_(tx) {}

  std::optional<Title> Find(std::int64_t id);
  std::optional<Title> FindByMal(std::int64_t mal_id);
  /// Whether the upstream had no such title when last asked.
  bool IsMissing(std::int64_t mal_id);
  FoundTitles List(const TitleFilter& filter, const TitlePage& page, bool with_total);
  /// The title, and whether it existed before: then `title` is not stored.
  std::pair<Title, bool> Add(const NewTitle& title);
  std::vector<GenreCount> Genres(bool all_kinds);
  /// None: no such title.
  std::optional<Relations> RelationsOf(std::int64_t id);
  /// See sql/queries/anime/recommend.sql.
  std::vector<Title> Recommend(UserId user, const RecommendationRules& rules);

 private:
  sql::Tx& tx_;
};

}  // namespace syncline::anime
