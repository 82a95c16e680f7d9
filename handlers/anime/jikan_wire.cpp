#include "handlers/anime/jikan_wire.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "handlers/base/errors.h"
#include "handlers/base/json.h"
#include "handlers/base/utf8.h"

namespace syncline::anime {
namespace {

using Value = JsonSpans::Value;
using Kind = JsonSpans::Kind;

// `/full` has about twelve levels.
constexpr int kMaxDepth = 32;
// Each costs memory when it is parsed. A page of 25 items has about 4,000.
constexpr std::size_t kMaxValues = 100'000;

constexpr std::pair<std::string_view, AiringStatus> kStatuses[] = {
    {"Finished Airing", AiringStatus::kFinished},
    {"Currently Airing", AiringStatus::kAiring},
    {"Not yet aired", AiringStatus::kUpcoming},
};
constexpr std::pair<std::string_view, Season> kSeasons[] = {
    {"winter", Season::kWinter},
    {"spring", Season::kSpring},
    {"summer", Season::kSummer},
    {"fall", Season::kFall},
};
constexpr std::pair<std::string_view, GenreKind> kGenreLists[] = {
    {"genres", GenreKind::kGenre},
    {"themes", GenreKind::kTheme},
    {"demographics", GenreKind::kDemographic},
    {"explicit_genres", GenreKind::kExplicit},
};

// The document with lenient access: a missing value, or one of another type, reads as none.
class Reader {
 public:
  explicit Reader(const JsonSpans& spans) : spans_(spans) {}

  /// A member of an object; null if there is none.
  const Value* Find(const Value* object, std::string_view key) const {
    const Value* found = nullptr;
    if (object == nullptr || object->kind != Kind::kObject) return nullptr;
    spans_.EachIn(*object, [&](const Value& member) {
      if (spans_.Key(member) == key) found = &member;
    });
    return found;
  }
  template <typename Visit>
  void EachIn(const Value* list, Visit visit) const {
    if (list != nullptr && list->kind == Kind::kArray) spans_.EachIn(*list, visit);
  }

  /// Trimmed, without NUL; none if empty, no string, or longer than `max_characters`.
  std::optional<std::string> Text(const Value* value, std::size_t max_characters) const {
    if (value == nullptr || value->kind != Kind::kString) return std::nullopt;
    std::string text = spans_.Text(*value);
    MakeText(text);
    constexpr std::string_view kBlank = " \t\r\n\f\v";
    const auto first = text.find_first_not_of(kBlank);
    if (first == std::string::npos) return std::nullopt;
    text = text.substr(first, text.find_last_not_of(kBlank) - first + 1);
    if (CountCharacters(text) > max_characters) return std::nullopt;
    return text;
  }
  std::optional<double> Number(const Value* value) const {
    if (value == nullptr || value->kind != Kind::kNumber) return std::nullopt;
    const std::string_view raw = spans_.Raw(*value);
    double number = 0;
    const auto error = std::from_chars(raw.data(), raw.data() + raw.size(), number).ec;
    if (error != std::errc() || !std::isfinite(number)) return std::nullopt;
    return number;
  }
  /// A whole number within the bounds, also one that is written 12.0.
  std::optional<std::int64_t> Whole(const Value* value, std::int64_t min, std::int64_t max) const {
    const auto number = Number(value);
    // The bounds are far below 2^53, so a double is exact.
    if (!number || *number < static_cast<double>(min) || *number > static_cast<double>(max) ||
        *number != std::floor(*number))
      return std::nullopt;
    return static_cast<std::int64_t>(*number);
  }

 private:
  const JsonSpans& spans_;
};

// The stored members, except the lists of genres.
constexpr std::string_view kMembers[] = {"synopsis",  "score",  "episodes",   "status", "season",
                                         "year",      "images", "aired",      "type",   "rating",
                                         "scored_by", "rank",   "popularity", "members"};
// Deprecated: `titles` has the same.
constexpr std::string_view kFlatTitles[] = {"title_english", "title_japanese", "title_synonyms"};

// Throws BadJikan if a member is absent.
void RequireWhole(const Reader& in, const Value* item) {
  const auto require = [&](std::string_view key) {
    if (in.Find(item, key) == nullptr) throw BadJikan("no " + std::string(key));
  };
  std::for_each(std::begin(kMembers), std::end(kMembers), require);
  const Value* titles = in.Find(item, "titles");
  if (titles == nullptr || titles->kind != Kind::kArray)
    std::for_each(std::begin(kFlatTitles), std::end(kFlatTitles), require);
  for (const auto& [key, kind] : kGenreLists) {
    const Value* list = in.Find(item, key);
    if (list == nullptr || list->kind != Kind::kArray) throw BadJikan("no list of " + std::string(key));
  }
}

template <typename T, std::size_t kSize>
std::optional<T> Among(const std::pair<std::string_view, T> (&words)[kSize],
                       const std::optional<std::string>& word) {
  for (const auto& [name, value] : words) {
    if (word == name) return value;
  }
  return std::nullopt;
}

// "2019-04-06T00:00:00+00:00". The zone is ignored: MAL has dates only.
std::optional<std::chrono::year_month_day> Date(const std::optional<std::string>& text) {
  constexpr std::size_t kDateBytes = 10;
  if (!text || text->size() < kDateBytes || (*text)[4] != '-' || (*text)[7] != '-') return std::nullopt;
  if (text->size() > kDateBytes && (*text)[kDateBytes] != 'T') return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t size) {
    int value = -1;
    const char* end = text->data() + at + size;
    return std::from_chars(text->data() + at, end, value).ptr == end ? value : -1;
  };
  const int year = number(0, 4), month = number(5, 2), day = number(8, 2);
  if (year < 1 || month < 1 || day < 1) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return date;
}

constexpr std::size_t kAnyLength = std::numeric_limits<std::size_t>::max();
constexpr std::int64_t kMaxCount = std::int64_t{1} << 40;
constexpr std::size_t kMaxWord = 100;

std::optional<std::int64_t> YearOf(const Reader& in, const Value* item, const JikanTitle& title) {
  if (const auto given = in.Whole(in.Find(item, "year"), kMinYear, kMaxYear)) return given;
  const Value* aired = in.Find(item, "aired");
  const Value* from = in.Find(in.Find(aired, "prop"), "from");
  auto year = in.Whole(in.Find(from, "year"), kMinYear, kMaxYear);
  auto month = in.Whole(in.Find(from, "month"), 1, 12);
  if (!year && title.aired_from) {
    year = static_cast<int>(title.aired_from->year());
    month = static_cast<unsigned>(title.aired_from->month());
  }
  // The first days of a winter season are in December of the year before.
  if (year && title.season == Season::kWinter && month == 12) ++*year;
  if (!year || *year < kMinYear || *year > kMaxYear) return std::nullopt;
  return year;
}

std::optional<std::string> Image(const Reader& in, const Value* item) {
  const Value* images = in.Find(item, "images");
  for (const char* kind : {"jpg", "webp"}) {
    auto url = in.Text(in.Find(in.Find(images, kind), "image_url"), kMaxUrlBytes);
    if (url && url->size() <= kMaxUrlBytes && ParseHttpUrl(*url)) return url;
  }
  return std::nullopt;
}

void ReadGenres(const Reader& in, const Value* list, GenreKind kind, std::vector<JikanGenre>& genres) {
  in.EachIn(list, [&](const Value& one) {
    const auto mal_id = in.Whole(in.Find(&one, "mal_id"), 1, kMaxMalId);
    auto name = in.Text(in.Find(&one, "name"), kMaxGenreCharacters);
    if (!mal_id || !name || genres.size() >= kMaxGenres) return;
    if (std::any_of(genres.begin(), genres.end(),
                    [&](const JikanGenre& genre) { return genre.mal_id == *mal_id; }))
      return;
    genres.push_back({*mal_id, std::move(*name), kind});
  });
}

// A truncated entry is left out.
std::vector<JikanRelation> ReadRelations(const Reader& in, const Value* list) {
  std::vector<JikanRelation> relations;
  in.EachIn(list, [&](const Value& group) {
    const auto relation = in.Text(in.Find(&group, "relation"), kMaxWord);
    if (!relation) return;
    in.EachIn(in.Find(&group, "entry"), [&](const Value& one) {
      const auto mal_id = in.Whole(in.Find(&one, "mal_id"), 1, kMaxMalId);
      const auto type = in.Text(in.Find(&one, "type"), kMaxWord);
      auto name = in.Text(in.Find(&one, "name"), kMaxTitleCharacters);
      if (!mal_id || !name || (type != "anime" && type != "manga") || relations.size() >= kMaxRelations)
        return;
      const bool is_manga = type == "manga";
      const bool is_repeated =
          std::any_of(relations.begin(), relations.end(), [&](const JikanRelation& known) {
            return known.mal_id == *mal_id && known.is_manga == is_manga && known.relation == *relation;
          });
      if (!is_repeated) relations.push_back({*relation, is_manga, *mal_id, std::move(*name)});
    });
  });
  return relations;
}

void ReadTitles(const Reader& in, const Value* item, JikanTitle& title) {
  std::optional<std::string> main;
  std::vector<std::string> others;
  in.EachIn(in.Find(item, "titles"), [&](const Value& one) {
    const auto type = in.Text(in.Find(&one, "type"), kMaxWord);
    auto text = in.Text(in.Find(&one, "title"), kMaxTitleCharacters);
    if (!type || !text) return;
    std::optional<std::string>* const own = *type == "Default"    ? &main
                                            : *type == "English"  ? &title.title_english
                                            : *type == "Japanese" ? &title.title_japanese
                                                                  : nullptr;
    if (own != nullptr && !*own) {
      *own = std::move(text);
    } else if (others.size() < kMaxTitles) {
      others.push_back(std::move(*text));
    }
  });
  in.EachIn(in.Find(item, "title_synonyms"), [&](const Value& one) {
    auto text = in.Text(&one, kMaxTitleCharacters);
    if (text && others.size() < kMaxTitles) others.push_back(std::move(*text));
  });
  if (!main) main = in.Text(in.Find(item, "title"), kMaxTitleCharacters);
  if (!title.title_english)
    title.title_english = in.Text(in.Find(item, "title_english"), kMaxTitleCharacters);
  if (!title.title_japanese)
    title.title_japanese = in.Text(in.Find(item, "title_japanese"), kMaxTitleCharacters);
  if (!main) throw BadJikan("no title, or one that is too long");
  title.title = std::move(*main);
  for (std::string& other : others) {
    const bool is_known =
        other == title.title || title.title_english == other || title.title_japanese == other ||
        std::find(title.synonyms.begin(), title.synonyms.end(), other) != title.synonyms.end();
    if (!is_known) title.synonyms.push_back(std::move(other));
  }
}

// Throws BadJikan.
JikanTitle ReadTitle(const Reader& in, const Value* item) {
  JikanTitle title;
  const auto mal_id = in.Whole(in.Find(item, "mal_id"), 1, kMaxMalId);
  if (!mal_id) throw BadJikan("no mal_id");
  title.mal_id = *mal_id;
  ReadTitles(in, item, title);
  RequireWhole(in, item);
  title.synopsis = in.Text(in.Find(item, "synopsis"), kAnyLength);
  title.score = in.Number(in.Find(item, "score"));
  // The documented value of an unknown score is 0.
  if (title.score && (*title.score <= 0 || *title.score > 10)) title.score.reset();
  title.episodes = in.Whole(in.Find(item, "episodes"), 1, kMaxMalId);
  const auto status = in.Text(in.Find(item, "status"), kMaxWord);
  title.status = Among(kStatuses, status);
  if (!title.status) title.unknown_status = status.value_or("");
  title.season = Among(kSeasons, in.Text(in.Find(item, "season"), kMaxWord));
  const Value* aired = in.Find(item, "aired");
  title.aired_from = Date(in.Text(in.Find(aired, "from"), kMaxWord));
  title.aired_to = Date(in.Text(in.Find(aired, "to"), kMaxWord));
  title.year = YearOf(in, item, title);
  title.image_url = Image(in, item);
  for (const auto& [key, kind] : kGenreLists) ReadGenres(in, in.Find(item, key), kind, title.genres);
  title.type = in.Text(in.Find(item, "type"), kMaxWord);
  title.rating = in.Text(in.Find(item, "rating"), kMaxWord);
  title.scored_by = in.Whole(in.Find(item, "scored_by"), 0, kMaxCount);
  title.rank = in.Whole(in.Find(item, "rank"), 1, kMaxCount);
  title.popularity = in.Whole(in.Find(item, "popularity"), 1, kMaxCount);
  title.members = in.Whole(in.Find(item, "members"), 0, kMaxCount);
  const Value* approved = in.Find(item, "approved");
  const Value* relations = in.Find(item, "relations");
  if (relations != nullptr && relations->kind == Kind::kArray) title.relations = ReadRelations(in, relations);
  title.is_approved = approved == nullptr || approved->kind != Kind::kFalse;
  return title;
}

// Returns `read` of the document. Duplicate keys are refused, because readers would disagree about the title.
template <typename Read>
auto Parsed(std::string_view body, Read read) {
  if (MayHoldMoreValuesThan(body, kMaxValues)) throw BadJikan("too many values");
  try {
    const JsonSpans spans(body, kMaxDepth, kMaxDepth);
    if (spans.FindDuplicateKey() != nullptr) throw BadJikan("a duplicate key");
    return read(Reader(spans), &spans.Root());
  } catch (const BadJson& error) {
    throw BadJikan(std::string("not JSON: ") + error.what());
  }
}

const Value& DataOf(const Reader& in, const Value* root, Kind kind) {
  const Value* data = in.Find(root, "data");
  if (data == nullptr || data->kind != kind) throw BadJikan("no data");
  return *data;
}

}  // namespace

JikanTitle ParseJikanTitle(std::string_view body, std::int64_t mal_id) {
  return Parsed(body, [&](const Reader& in, const Value* root) {
    JikanTitle title = ReadTitle(in, &DataOf(in, root, Kind::kObject));
    if (title.mal_id != mal_id) throw BadJikan("another title: " + std::to_string(title.mal_id));
    return title;
  });
}

JikanPage ParseJikanPage(std::string_view body) {
  return Parsed(body, [&](const Reader& in, const Value* root) {
    JikanPage page;
    std::size_t at = 0;
    in.EachIn(&DataOf(in, root, Kind::kArray), [&](const Value& item) {
      if (++at > kMaxItems) throw BadJikan("too many items");
      try {
        JikanTitle title = ReadTitle(in, &item);
        const bool is_repeated =
            std::any_of(page.titles.begin(), page.titles.end(),
                        [&](const JikanTitle& one) { return one.mal_id == title.mal_id; });
        if (!is_repeated) page.titles.push_back(std::move(title));
      } catch (const BadJikan& error) {
        page.malformed.push_back("item " + std::to_string(at) + ": " + error.what());
      }
    });
    const Value* next = in.Find(in.Find(root, "pagination"), "has_next_page");
    page.has_next = next != nullptr && next->kind == Kind::kTrue;
    return page;
  });
}

std::vector<JikanGenre> ParseJikanGenres(std::string_view body, GenreKind kind) {
  return Parsed(body, [&](const Reader& in, const Value* root) {
    std::vector<JikanGenre> genres;
    ReadGenres(in, &DataOf(in, root, Kind::kArray), kind, genres);
    return genres;
  });
}

Verdict JudgeJikan(const HttpResponse& response) {
  constexpr int kNotFound = 404, kThrottled = 429;
  if (response.status == 304) return {};
  struct Form {
    bool is_json = true, has_data = false, is_error = false;
    std::string type;
    bool is_of_mal = false;  // a 429 that MAL has sent to Jikan has a number as its status
  } form;
  try {
    form = Parsed(response.body, [](const Reader& in, const Value* root) {
      const Value* data = in.Find(root, "data");
      const Value* status = in.Find(root, "status");
      return Form{.has_data = data != nullptr && (data->kind == Kind::kObject || data->kind == Kind::kArray),
                  .is_error = status != nullptr,
                  .type = in.Text(in.Find(root, "type"), kMaxWord).value_or(""),
                  .is_of_mal = status != nullptr && status->kind == Kind::kNumber};
    });
  } catch (const BadJikan&) {
    form = {.is_json = false, .type = "not JSON"};
  }
  const std::string reason =
      std::to_string(response.status) + (form.type.empty() ? std::string() : " " + form.type);
  if (response.status == kThrottled)
    return {.kind = Verdict::Kind::kThrottled,
            .reason = reason,
            .retry_after = ParseRetryAfter(response.Header("retry-after"), std::chrono::system_clock::now()),
            .is_long = form.is_of_mal};
  if (response.status == 200 && form.has_data) return {};
  const bool is_refusal = response.status == 400 || response.status == kNotFound || response.status == 405;
  if (is_refusal && form.is_error) return {};
  Verdict failed{.kind = Verdict::Kind::kFailed, .reason = reason};
  if (response.status == 200 && form.is_json) failed.reason += " without data";
  if (response.status == 200 && !form.is_json) failed.code = "upstream_malformed";
  return failed;
}

}  // namespace syncline::anime
