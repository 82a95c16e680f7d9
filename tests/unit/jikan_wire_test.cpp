// handlers/anime/jikan_wire: what is taken of Jikan's answers, and what they mean.
#include "handlers/anime/jikan_wire.h"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace syncline;
using namespace syncline::anime;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t kId = 90321;

// All that a whole item has, unknown, but for its id, its title, and what `members` has.
std::string Whole(const std::string& members) {
  std::string item = members;
  const auto add = [&](const std::string& name, const char* value) {
    // Other objects have a type, too.
    if (name == "type" || item.find("\"" + name + "\":") == std::string::npos)
      item += (item.empty() ? "\"" : ",\"") + name + "\":" + value;
  };
  for (const char* name :
       {"title_english", "title_japanese", "title_synonyms", "synopsis", "score", "episodes", "status",
        "season", "year", "images", "aired", "type", "rating", "scored_by", "rank", "popularity", "members"})
    add(name, "null");
  for (const char* name : {"genres", "themes", "demographics", "explicit_genres"}) add(name, "[]");
  return item;
}

// A title with these members after its id.
std::string Body(const std::string& members) {
  return R"({"data":{"mal_id":90321,)" + Whole(members) + "}}";
}

JikanTitle Of(const std::string& members) {
  return ParseJikanTitle(Body(R"("title":"T")" + std::string(members.empty() ? "" : ",") + members), kId);
}

// Why the body is refused; "" if it is not.
std::string WhyNot(const std::string& body) {
  try {
    ParseJikanTitle(body, kId);
  } catch (const BadJikan& error) {
    return error.what();
  }
  return "";
}

std::string KindOf(const HttpResponse& response) {
  const Verdict verdict = JudgeJikan(response);
  return verdict.kind == Verdict::Kind::kAnswer   ? "answer"
         : verdict.kind == Verdict::Kind::kFailed ? "failed"
                                                  : "throttled";
}

HttpResponse Response(int status, const std::string& body) {
  return {.status = status, .headers = {}, .body = body};
}

}  // namespace

BOOST_AUTO_TEST_CASE(relations_are_taken_as_far_as_they_are_whole) {
  BOOST_TEST(!Of("").relations.has_value());
  BOOST_TEST(!Of(R"("relations":null)").relations.has_value());
  BOOST_TEST(Of(R"("relations":[])").relations->empty());
  const auto relations = Of(R"("relations":[
    {"relation":"Prequel","entry":[{"mal_id":5,"type":"anime","name":" First ","url":"x"},
                                   {"mal_id":5,"type":"anime","name":"again"},{"mal_id":5,"type":"manga","name":"Book"}]},
    {"relation":"Sequel","entry":[{"mal_id":7,"type":"anime","name":"Third"},{"mal_id":0,"type":"anime","name":"n"},
                                  {"mal_id":8,"type":"music","name":"n"},{"mal_id":9,"type":"anime","name":""},
                                  {"mal_id":10,"type":"anime"},null,{}]},
    {"relation":"","entry":[{"mal_id":11,"type":"anime","name":"n"}]},
    {"entry":[{"mal_id":12,"type":"anime","name":"n"}]},{"relation":"Other","entry":null},5])")
                             .relations.value();
  const std::vector<JikanRelation> expected{
      {"Prequel", false, 5, "First"}, {"Prequel", true, 5, "Book"}, {"Sequel", false, 7, "Third"}};
  BOOST_CHECK(relations == expected);
  std::string many;
  for (int i = 1; i <= 600; ++i)
    many += (i == 1 ? "" : ",") + (R"({"mal_id":)" + std::to_string(i)) + R"(,"type":"anime","name":"n"})";
  BOOST_TEST(Of(R"("relations":[{"relation":"Other","entry":[)" + many + "]}]").relations->size() ==
             kMaxRelations);
}

BOOST_AUTO_TEST_CASE(a_whole_title_is_taken_member_by_member) {
  const JikanTitle title = ParseJikanTitle(R"({"data": {
    "mal_id": 90321, "url": "https:\/\/myanimelist.net\/anime\/90321\/x",
    "images": {"jpg": {"image_url": "https:\/\/cdn.example\/90321.jpg"}, "webp": {"image_url": "https:\/\/cdn.example\/90321.webp"}},
    "approved": true,
    "titles": [{"type": "Default", "title": " Orizuru no Minato "}, {"type": "Synonym", "title": "Crane Port"},
               {"type": "Japanese", "title": "\u6298\u308a\u9db4\u306e\u6e2f"}, {"type": "English", "title": "Harbour of Paper Cranes"},
               {"type": "French", "title": "Le port"}],
    "title": "other", "title_english": "other", "title_japanese": "other", "title_synonyms": ["Crane Port", "Harbour"],
    "type": "TV", "episodes": 12, "status": "Finished Airing", "airing": false,
    "aired": {"from": "2019-04-06T00:00:00+00:00", "to": "2019-06-22T00:00:00+00:00",
              "prop": {"from": {"day": 6, "month": 4, "year": 2019}, "to": {"day": 22, "month": 6, "year": 2019}}, "string": ""},
    "rating": "PG-13 - Teens 13 or older", "score": 7.94, "scored_by": 41200, "rank": 612, "popularity": 1409, "members": 120033,
    "synopsis": "A ferry pilot\u2026 \ud83c\udfef", "background": "", "season": "spring", "year": 2019,
    "genres": [{"mal_id": 8, "type": "anime", "name": "Drama", "url": ""}], "explicit_genres": [],
    "themes": [{"mal_id": 63, "type": "anime", "name": "Iyashikei", "url": ""}],
    "demographics": [{"mal_id": 42, "type": "anime", "name": "Seinen", "url": ""}]}})",
                                           kId);
  BOOST_TEST(title.mal_id == kId);
  BOOST_TEST(title.title == "Orizuru no Minato");
  BOOST_TEST(*title.title_english == "Harbour of Paper Cranes");
  BOOST_TEST(*title.title_japanese == "\xe6\x8a\x98\xe3\x82\x8a\xe9\xb6\xb4\xe3\x81\xae\xe6\xb8\xaf");
  BOOST_TEST(title.synonyms == (std::vector<std::string>{"Crane Port", "Le port", "Harbour"}),
             boost::test_tools::per_element());
  BOOST_TEST(*title.synopsis == "A ferry pilot\xe2\x80\xa6 \xf0\x9f\x8f\xaf");
  BOOST_TEST(*title.score == 7.94);
  BOOST_TEST(*title.episodes == 12);
  BOOST_TEST((title.status == AiringStatus::kFinished && title.season == Season::kSpring));
  BOOST_TEST(*title.year == 2019);
  BOOST_TEST(*title.image_url == "https://cdn.example/90321.jpg");
  BOOST_TEST((title.genres == std::vector<JikanGenre>{{8, "Drama", GenreKind::kGenre},
                                                      {63, "Iyashikei", GenreKind::kTheme},
                                                      {42, "Seinen", GenreKind::kDemographic}}));
  BOOST_TEST((title.aired_from == std::chrono::year(2019) / 4 / 6 &&
              title.aired_to == std::chrono::year(2019) / 6 / 22));
  BOOST_TEST(*title.type == "TV");
  BOOST_TEST(*title.rating == "PG-13 - Teens 13 or older");
  BOOST_TEST((*title.scored_by == 41200 && *title.rank == 612 && *title.popularity == 1409 &&
              *title.members == 120033));
  BOOST_TEST(title.is_approved);
}

BOOST_AUTO_TEST_CASE(a_title_without_anything_else_is_a_title) {
  const JikanTitle title = Of("");
  BOOST_TEST(title.title == "T");
  BOOST_TEST((!title.title_english && !title.synopsis && !title.score && !title.episodes && !title.status &&
              !title.season && !title.year && !title.image_url && title.genres.empty() && !title.aired_from &&
              title.is_approved));
}

BOOST_AUTO_TEST_CASE(members_that_are_null_or_of_another_type_are_unknown) {
  for (const std::string value : {"null", "[]", "{}", "true", R"("")", R"("x")", "-1", "1e300"}) {
    std::string members;
    for (const char* name : {"titles", "title_synonyms", "title_english", "synopsis", "episodes", "year",
                             "images", "aired", "scored_by", "members", "rank"})
      members += std::string(members.empty() ? "" : ",") + "\"" + name + "\":" + value;
    const JikanTitle title = Of(members);
    BOOST_TEST(
        (title.title == "T" && title.synonyms.empty() && !title.episodes && !title.year && !title.image_url &&
         title.genres.empty() && !title.aired_from && !title.members && !title.rank),
        value);
  }
  for (
      const std::string inner :
      {R"("images":{"jpg":null,"webp":null})", R"("images":{"jpg":{"image_url":null}})",
       R"("images":{"jpg":{"image_url":"javascript:x"}})", R"("aired":{"from":null,"prop":null})",
       R"("aired":{"prop":{"from":null}})", R"("titles":[null,1,{"type":1},{"type":"English","title":null}])",
       R"("genres":[null,1,"x",{"name":"x"},{"mal_id":1},{"mal_id":"1","name":"x"},{"mal_id":0,"name":"x"}])"}) {
    const JikanTitle title = Of(inner);
    BOOST_TEST((!title.image_url && !title.year && title.genres.empty() && !title.title_english), inner);
  }
}

// Null says that nothing is known; an absent member says nothing, and must not clear what is stored.
BOOST_AUTO_TEST_CASE(half_an_item_is_not_taken) {
  const std::string whole = Body(R"("title":"T")");
  BOOST_TEST(WhyNot(whole) == "");
  for (const std::string name :
       {"synopsis", "score", "episodes", "status", "season", "year", "images", "aired", "type", "rating",
        "scored_by", "rank", "popularity", "members", "title_english", "title_japanese", "title_synonyms"}) {
    std::string half = whole;
    half.replace(half.find("\"" + name + "\":"), name.size() + 2, "\"x_" + name + "\"");
    BOOST_TEST(WhyNot(half) == "no " + name);
  }
  for (const std::string name : {"genres", "themes", "demographics", "explicit_genres"}) {
    for (const char* value : {"null", "{}", R"("x")", "true"})
      BOOST_TEST(WhyNot(Body(R"("title":"T",")" + name + "\":" + value)) == "no list of " + name);
    std::string half = whole;
    half.replace(half.find("\"" + name + "\":"), name.size() + 2, "\"x_" + name + "\"");
    BOOST_TEST(WhyNot(half) == "no list of " + name);
  }
  // The list replaces the three flat members, which are deprecated.
  BOOST_TEST(WhyNot(R"({"data":{"mal_id":90321,"titles":[{"type":"Default","title":"D"}],)" +
                    whole.substr(whole.find(R"("synopsis")"))) == "");
  const JikanPage page =
      ParseJikanPage(R"({"data":[{"mal_id":1,"title":"A"},{"mal_id":2,"title":"B",)" + Whole("") + "}]}");
  BOOST_TEST((page.titles.size() == 1U && page.titles[0].mal_id == 2 && page.malformed.size() == 1U));
}

// Each value costs memory: 4 MB of them would take a hundred.
BOOST_AUTO_TEST_CASE(an_answer_of_too_many_values_is_refused_before_it_is_parsed) {
  std::string many = "1";
  for (int i = 0; i < 100'000; ++i) many += ",1";
  BOOST_TEST(WhyNot(Body(R"("title":"T","x":[)" + many + "]")) == "too many values");
  BOOST_TEST(WhyNot(Body(R"("title":"T","x":[)" + many.substr(0, 19'999) + "]")) == "");
}

BOOST_AUTO_TEST_CASE(what_is_not_json_is_malformed_and_not_an_error_of_the_upstream) {
  for (const char* body : {R"({"data":{)", "", "<html></html>", R"({"data":{}}x)", R"({"data":{"x":NaN}})"}) {
    const Verdict verdict = JudgeJikan(Response(200, body));
    BOOST_TEST((verdict.kind == Verdict::Kind::kFailed && verdict.code == "upstream_malformed"), body);
  }
  for (const HttpResponse& response : {Response(200, R"({"status":500,"type":"UpstreamException"})"),
                                       Response(504, "<html></html>"), Response(500, "")})
    BOOST_TEST((JudgeJikan(response).code == "upstream_failed"));
}

BOOST_AUTO_TEST_CASE(without_an_id_and_a_title_nothing_is_taken) {
  BOOST_TEST(WhyNot(Body("")) == "no title, or one that is too long");
  BOOST_TEST(WhyNot(Body(R"("title":" ")")) != "");
  BOOST_TEST(WhyNot(Body(R"("title":null,"titles":[{"type":"English","title":"E"}])")) != "");
  BOOST_TEST(WhyNot(Body(R"("title":")" + std::string(kMaxTitleCharacters + 1, 'x') + "\"")) != "");
  BOOST_TEST(WhyNot(Body(R"("title":")" + std::string(kMaxTitleCharacters, 'x') + "\"")) == "");
  BOOST_TEST(WhyNot(Body(R"("titles":[{"type":"Default","title":"D"}])")) == "");
  BOOST_TEST(WhyNot(R"({"data":{"title":"T"}})") == "no mal_id");
  BOOST_TEST(WhyNot(R"({"data":{"mal_id":90322,"title":"T",)" + Whole("") + "}}") == "another title: 90322");
  BOOST_TEST(WhyNot(R"({"data":{"mal_id":90321.5,"title":"T"}})") == "no mal_id");
}

BOOST_AUTO_TEST_CASE(what_is_no_answer_of_jikan_is_refused) {
  for (const std::string& body :
       {std::string(), std::string("null"), std::string("[]"), std::string("{}"),
        std::string(R"({"data":null})"), std::string(R"({"data":[]})"), std::string(R"({"data":"x"})"),
        std::string("<html></html>"), Body(R"("title":"T")") + "}", Body(R"("title":"T")").substr(0, 20),
        Body(R"("title":"T","x":NaN)"), Body("\"title\":\"\xff\""), Body(R"("title":"\ud800")"),
        Body(R"("title":"T","title":"U")"), std::string(R"({"data":{"mal_id":90321,"title":"T"},"data":{}})"),
        std::string(10'000, '[') + std::string(10'000, ']'), Body(R"("title":"T","x":1e999)")})
    BOOST_TEST(WhyNot(body) != "", body.substr(0, 60));
}

BOOST_AUTO_TEST_CASE(texts_are_trimmed_and_empty_ones_are_unknown) {
  const JikanTitle title = Of(
      R"("title_english":"","title_japanese":" \n","synopsis":"  a\u0000b  ","titles":[{"type":"English","title":""}])");
  BOOST_TEST((!title.title_english && !title.title_japanese));
  BOOST_TEST(*title.synopsis == "ab");
  // The flat form counts where the list has none.
  BOOST_TEST(*Of(R"("title_japanese":"J","titles":[{"type":"English","title":"E"}])").title_japanese == "J");
}

BOOST_AUTO_TEST_CASE(scores_and_counts_out_of_range_are_unknown) {
  BOOST_TEST(!Of(R"("score":0)").score);
  BOOST_TEST(!Of(R"("score":10.01)").score);
  BOOST_TEST(!Of(R"("score":-1)").score);
  BOOST_TEST(!Of(R"("score":"8")").score);
  BOOST_TEST(*Of(R"("score":10)").score == 10);
  BOOST_TEST(!Of(R"("episodes":0)").episodes);
  BOOST_TEST(!Of(R"("episodes":12.5)").episodes);
  BOOST_TEST(*Of(R"("episodes":12.0)").episodes == 12);
  BOOST_TEST(!Of(R"("year":1899)").year);
  BOOST_TEST(!Of(R"("year":2101)").year);
  BOOST_TEST(*Of(R"("year":1917)").year == 1917);
}

BOOST_AUTO_TEST_CASE(an_unknown_status_is_kept_for_the_log_only) {
  const JikanTitle title = Of(R"("status":"Hiatus")");
  BOOST_TEST(!title.status);
  BOOST_TEST(title.unknown_status == "Hiatus");
  BOOST_TEST(Of(R"("status":null)").unknown_status == "");
  BOOST_TEST((Of(R"("status":"Not yet aired")").status == AiringStatus::kUpcoming));
}

BOOST_AUTO_TEST_CASE(a_winter_that_begins_in_december_belongs_to_the_next_year) {
  const auto aired = [](const char* date, int year, int month) {
    return R"("aired":{"from":")" + std::string(date) +
           R"(T00:00:00+00:00","prop":{"from":{"day":28,"month":)" + std::to_string(month) + R"(,"year":)" +
           std::to_string(year) + "}}}";
  };
  const std::string december = aired("2024-12-28", 2024, 12);
  BOOST_TEST(*Of(R"("season":"winter","year":null,)" + december).year == 2025);
  BOOST_TEST(*Of(R"("season":null,"year":null,)" + december).year == 2024);
  BOOST_TEST(*Of(R"("season":"winter","year":2024,)" + december).year == 2024);
  BOOST_TEST(*Of(R"("season":"spring","year":2021,)" + aired("2021-03-27", 2021, 3)).year == 2021);
  BOOST_TEST(*Of(R"("season":"winter","aired":{"from":"2024-12-31T00:00:00+00:00"})").year == 2025);
  BOOST_TEST(
      (Of(R"("season":"spring","year":null,)" + aired("2021-03-27", 2021, 3)).season == Season::kSpring));
}

BOOST_AUTO_TEST_CASE(only_whole_and_real_dates_are_dates) {
  const auto from = [](const std::string& text) {
    return Of(R"("aired":{"from":")" + text + "\"}").aired_from.has_value();
  };
  for (const char* good : {"2019-04-06T00:00:00+00:00", "2019-04-06", "2024-02-29T00:00:00+00:00"})
    BOOST_TEST(from(good), good);
  for (const char* bad :
       {"", "2019", "2019-04", "2019-00-00", "2019-02-30T00:00:00+00:00", "2023-02-29", "0000-01-01",
        "2019/04/06", "2019-04-06X", "-019-04-06", "2019-4-6", "+019-04-06", "2019- 4-06"})
    BOOST_TEST(!from(bad), bad);
}

BOOST_AUTO_TEST_CASE(a_repeated_genre_is_taken_once_and_the_image_may_be_webp) {
  const JikanTitle title =
      Of(R"("genres":[{"mal_id":8,"name":"Drama"},{"mal_id":8,"name":"Drama"},{"mal_id":1,"name":" Sci-Fi "}],
                                 "themes":[{"mal_id":8,"name":"Drama"}],"images":{"jpg":null,"webp":{"image_url":"https://x.example/a"}})");
  BOOST_TEST((title.genres ==
              std::vector<JikanGenre>{{8, "Drama", GenreKind::kGenre}, {1, "Sci-Fi", GenreKind::kGenre}}));
  BOOST_TEST(*title.image_url == "https://x.example/a");
}

BOOST_AUTO_TEST_CASE(a_page_keeps_its_good_items_and_names_the_others) {
  const JikanPage page = ParseJikanPage(R"({"pagination":{"has_next_page":true,"last_visible_page":1},
    "data":[{"mal_id":1,"title":"A",)" + Whole("") +
                                        R"(},{"mal_id":2},{"mal_id":1,"title":"A",)" + Whole("") +
                                        R"(},null,{"mal_id":3,"title":"C",)" + Whole("") + "}]}");
  BOOST_TEST(page.titles.size() == 2U);
  BOOST_TEST((page.titles[0].mal_id == 1 && page.titles[1].mal_id == 3));
  BOOST_TEST(page.malformed ==
                 (std::vector<std::string>{"item 2: no title, or one that is too long", "item 4: no mal_id"}),
             boost::test_tools::per_element());
  BOOST_TEST(page.has_next);
  BOOST_TEST(!ParseJikanPage(R"({"data":[]})").has_next);
  BOOST_CHECK_THROW(ParseJikanPage(R"({"data":{}})"), BadJikan);
  std::string many;
  for (std::size_t i = 0; i <= kMaxItems; ++i) many += i == 0 ? "1" : ",1";
  BOOST_CHECK_THROW(ParseJikanPage(R"({"data":[)" + many + "]}"), BadJikan);
}

BOOST_AUTO_TEST_CASE(genres_are_listed_with_their_kind) {
  const auto genres = ParseJikanGenres(
      R"({"data":[{"mal_id":63,"name":"Iyashikei","url":"","count":1},{"name":"x"}]})", GenreKind::kTheme);
  BOOST_TEST((genres == std::vector<JikanGenre>{{63, "Iyashikei", GenreKind::kTheme}}));
}

BOOST_AUTO_TEST_CASE(throttled_down_and_broken_are_never_not_found) {
  const std::string html = "<html><h1>404</h1></html>";
  BOOST_TEST(KindOf(Response(200, R"({"data":{}})")) == "answer");
  BOOST_TEST(KindOf(Response(200, R"({"data":[]})")) == "answer");
  BOOST_TEST(KindOf(Response(304, "")) == "answer");
  BOOST_TEST(KindOf(Response(
                 404, R"({"status":404,"type":"BadResponseException","message":"x","error":"404 on y"})")) ==
             "answer");
  BOOST_TEST(KindOf(Response(404, R"({"status":404,"type":"HttpException","error":null})")) == "answer");
  BOOST_TEST(KindOf(Response(400, R"({"status":400,"type":"ValidationException","messages":{}})")) ==
             "answer");
  BOOST_TEST(KindOf(Response(405, R"({"status":405,"type":"HttpException"})")) == "answer");
  for (const int status : {400, 404, 405}) BOOST_TEST(KindOf(Response(status, html)) == "failed");
  for (const int status : {200, 201, 206, 301, 403, 408, 500, 502, 503, 504, 521}) {
    BOOST_TEST(KindOf(Response(status, html)) == "failed");
    BOOST_TEST(KindOf(Response(status, "")) == "failed");
    BOOST_TEST(
        KindOf(Response(status, R"({"status":500,"type":"UpstreamException","message":"404 not found"})")) ==
        "failed");
  }
  for (const char* body :
       {R"({"data":null})", R"({"data":"x"})", R"({"data":{})", R"([])", R"({"data":{"x":NaN}})"})
    BOOST_TEST(KindOf(Response(200, body)) == "failed", body);
}

BOOST_AUTO_TEST_CASE(a_429_of_mal_pauses_longer_than_one_of_the_edge) {
  const Verdict edge = JudgeJikan(Response(429, R"({"status":"429","type":"RateLimitException"})"));
  const Verdict mal = JudgeJikan(Response(429, R"({"status":429,"type":"RateLimitException"})"));
  const Verdict html = JudgeJikan(Response(429, "<html></html>"));
  for (const Verdict& verdict : {edge, mal, html}) BOOST_TEST((verdict.kind == Verdict::Kind::kThrottled));
  BOOST_TEST((!edge.is_long && mal.is_long && !html.is_long));
  HttpResponse asked = Response(429, "");
  asked.headers = {{"retry-after", "77"}};
  BOOST_TEST((JudgeJikan(asked).retry_after == 77s));
}
