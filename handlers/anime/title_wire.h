#pragma once
// Titles and genres as this protocol's JSON, and the parameters and bodies about them.
#include <string>
#include <vector>

#include "handlers/anime/title_store.h"
#include "handlers/base/json_input.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/parameter_input.h"

namespace syncline::anime {

/// Which fields of a title are shown beyond the original's.
struct Shown {
  bool is_full = false;               ///< the additional fields, behind the others
  bool with_all_genre_kinds = false;  ///< not only genres and themes
};
/// The parameters `fields=full` and `genre_kinds=all`.
Shown ReadShown(ParameterInput& in);

/// The next element of an array, or the root.
void AddTitle(JsonWriter& json, const Title& title, const Shown& shown);
std::string PrintTitle(const Title& title, const Shown& shown);
std::string PrintTitles(const std::vector<Title>& titles, const Shown& shown);
/// In the form of the upstream: [{"relation", "entry": [{"mal_id", "type", "name", "anime_id"}]}].
std::string PrintRelations(const std::vector<Relation>& relations);
std::string PrintGenres(const std::vector<GenreCount>& genres);

TitleFilter ReadTitleFilter(ParameterInput& in);
TitlePage ReadTitlePage(ParameterInput& in);
NewTitle ReadNewTitle(const JsonObject& in);

}  // namespace syncline::anime
