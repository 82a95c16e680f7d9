// Any bytes as an answer of Jikan: refused, or titles within their bounds that can be stored.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "handlers/anime/jikan_wire.h"
#include "handlers/base/utf8.h"

using namespace syncline;
using namespace syncline::anime;

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckText(const std::string& text, std::size_t max_characters) {
  Require(!text.empty() && IsStorableText(text) && CountCharacters(text) <= max_characters);
}

void CheckTitle(const JikanTitle& title) {
  Require(title.mal_id >= 1 && title.mal_id <= kMaxMalId);
  CheckText(title.title, kMaxTitleCharacters);
  for (const auto& one : {title.title_english, title.title_japanese}) {
    if (one) CheckText(*one, kMaxTitleCharacters);
  }
  Require(title.synonyms.size() <= kMaxTitles && title.genres.size() <= kMaxGenres);
  for (const std::string& synonym : title.synonyms) {
    CheckText(synonym, kMaxTitleCharacters);
    Require(synonym != title.title && std::count(title.synonyms.begin(), title.synonyms.end(), synonym) == 1);
  }
  for (const JikanGenre& genre : title.genres) {
    CheckText(genre.name, kMaxGenreCharacters);
    Require(genre.mal_id >= 1 && genre.mal_id <= kMaxMalId);
    Require(std::count_if(title.genres.begin(), title.genres.end(),
                          [&](const JikanGenre& one) { return one.mal_id == genre.mal_id; }) == 1);
  }
  if (title.synopsis) CheckText(*title.synopsis, title.synopsis->size());
  if (title.image_url)
    Require(ParseHttpUrl(*title.image_url).has_value() && title.image_url->size() <= kMaxUrlBytes);
  Require(!title.score || (*title.score > 0 && *title.score <= 10));
  Require(!title.episodes || *title.episodes >= 1);
  Require(!title.year || (*title.year >= kMinYear && *title.year <= kMaxYear));
  Require((!title.aired_from || title.aired_from->ok()) && (!title.aired_to || title.aired_to->ok()));
  Require(!title.status || title.unknown_status.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  try {
    const JikanTitle title = ParseJikanTitle(body, 90321);
    Require(title.mal_id == 90321);
    CheckTitle(title);
  } catch (const BadJikan&) {
  }
  try {
    const JikanPage page = ParseJikanPage(body);
    Require(page.titles.size() + page.malformed.size() <= kMaxItems);
    for (const JikanTitle& title : page.titles) CheckTitle(title);
  } catch (const BadJikan&) {
  }
  try {
    ParseJikanGenres(body, GenreKind::kGenre);
  } catch (const BadJikan&) {
  }
  for (const int status : {200, 404, 429, 500})
    JudgeJikan(
        {.status = status, .headers = {{"retry-after", std::string(body)}}, .body = std::string(body)});
  return 0;
}
