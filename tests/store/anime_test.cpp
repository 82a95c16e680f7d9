// The catalogue and the lists of the anime service against PostgreSQL. What comes from the upstream is made here; the client
// and its upstream are in jikan_test and tests/race/anime_test.py.
#include <boost/test/unit_test.hpp>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "handlers/anime/entry_store.h"
#include "handlers/anime/jobs.h"
#include "handlers/anime/list_import_store.h"
#include "handlers/anime/settings.h"
#include "handlers/anime/sync_flow.h"
#include "handlers/anime/sync_store.h"
#include "handlers/anime/title_rules.h"
#include "handlers/anime/title_store.h"
#include "handlers/base/context.h"
#include "handlers/base/errors.h"
#include "tests/support/jobs.h"
#include "tests/support/known_redis.h"
#include "tests/support/test_database.h"

using namespace syncline;
using namespace syncline::anime;
using namespace std::chrono_literals;
using tests::TestDatabase;

namespace {

const std::vector<std::int64_t> kWeights{1000, 1000, 800, 500, 0};

struct Fixture {
  TestDatabase& test = TestDatabase::Instance();
  sql::Database database{test.settings()};
  Config config = test.config();
  Redis redis{tests::RedisUrl()};
  UserId user;
  Context context{config, database, redis, "test"};

  Fixture() {
    static int users = 0;
    test.Empty(
        "anime_titles, anime_genres, anime_missing, anime_entries, anime_history, anime_imports, jobs");
    user = test.AddUser("anime-" + std::to_string(++users));
    context.SetIdentity({user, {}});
  }

  static JikanTitle Jikan(std::int64_t mal_id, const std::string& name,
                          const std::vector<std::pair<std::int64_t, std::string>>& genres = {}) {
    JikanTitle title;
    title.mal_id = mal_id;
    title.title = name;
    title.synopsis = "s";
    for (const auto& [id, genre] : genres) title.genres.push_back({id, genre, GenreKind::kGenre});
    return title;
  }
  void Save(const std::vector<JikanTitle>& titles, bool replaces_manual = false) {
    std::vector<FreshTitle> fresh;
    for (const JikanTitle& title : titles)
      fresh.push_back({.title = title, .validators = {"\"e\"", ""}, .stale_at = context.Now() + 24h});
    context.Write<SyncStore>([&](SyncStore& store) { store.Save(fresh, replaces_manual); });
  }
  std::optional<Title> ByMal(std::int64_t mal_id) {
    return context.ReadOnce<TitleStore>([&](TitleStore& titles) { return titles.FindByMal(mal_id); });
  }
  FoundTitles List(const TitleFilter& filter, const TitlePage& page = {}) {
    return context.Read<TitleStore>([&](TitleStore& titles) { return titles.List(filter, page, true); });
  }
  std::string Names(const std::vector<Title>& titles) {
    std::string names;
    for (const Title& title : titles) names += title.title + ";";
    return names;
  }
  std::string Search(const std::string& text) { return Names(List({.search = text}).titles); }
  Entry Add(std::int64_t mal_id, const EntryFields& fields) {
    const std::int64_t id = ByMal(mal_id).value().id;
    return context.Write<EntryStore>([&](EntryStore& entries) {
      const auto current = entries.Lock(id);
      return entries.Add(current.title.value(), fields).value();
    });
  }
  std::string Recommended(const RecommendationRules& rules) {
    return Names(context.Read<TitleStore>([&](TitleStore& titles) { return titles.Recommend(user, rules); }));
  }
  std::string Recommended(const std::vector<std::int64_t>& weights) {
    return Recommended({.limit = 10, .weights = weights});
  }
  // "Sequel 5 B (12);", the last number being ours; "?" if they are not known.
  std::string RelationsOf(std::int64_t mal_id) {
    const auto relations = context.Read<TitleStore>(
        [&](TitleStore& titles) { return titles.RelationsOf(ByMal(mal_id).value().id); });
    std::string text = relations.value().are_known ? "" : "?";
    for (const Relation& one : relations->all)
      text += one.relation + " " + one.kind + " " + std::to_string(one.mal_id) + " " + one.name +
              (one.anime_id == std::nullopt            ? ""
               : one.anime_id == ByMal(one.mal_id)->id ? " ours"
                                                       : " wrong") +
              ";";
    return text;
  }
};

EntryFields Of(const char* status, std::optional<double> score = std::nullopt) {
  EntryFields fields;
  fields.status = status;
  fields.score = score;
  return fields;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(anime_stores, Fixture)

BOOST_AUTO_TEST_CASE(a_title_from_the_upstream_is_stored_whole) {
  JikanTitle title = Jikan(90321, "Orizuru", {{8, "Drama"}, {63, "Iyashikei"}});
  title.title_english = "Harbour";
  title.synonyms = {"Port"};
  title.score = 7.94;
  title.status = AiringStatus::kFinished;
  title.season = Season::kSpring;
  title.year = 2019;
  title.aired_to = std::chrono::year(2019) / 6 / 22;
  title.genres[1].kind = GenreKind::kTheme;
  Save({title});
  const Title found = ByMal(90321).value();
  BOOST_TEST(found.title == "Orizuru");
  BOOST_TEST(found.title_english.value() == "Harbour");
  BOOST_TEST(found.synonyms.at(0) == "Port");
  BOOST_TEST(found.score.value() == 7.94);
  BOOST_TEST(found.status.value() == "finished");
  BOOST_TEST(found.season.value() == "spring");
  BOOST_TEST(found.aired_to.value() == "2019-06-22");
  BOOST_TEST(found.source == "jikan");
  BOOST_TEST(found.genres.size() == 2U);
  BOOST_TEST(found.genres.at(1).kind == "theme");
  BOOST_TEST(found.genres.at(1).name == "Iyashikei");
  BOOST_TEST(found.genres.at(1).mal_id == 63);
  const auto same = context.ReadOnce<TitleStore>([&](TitleStore& titles) { return titles.Find(found.id); });
  BOOST_TEST(same.value().title == "Orizuru");
}

BOOST_AUTO_TEST_CASE(genres_are_replaced_and_updated_at_moves_only_with_a_change) {
  Save({Jikan(1, "A", {{8, "Drama"}, {1, "Action"}})});
  const auto before = ByMal(1)->updated_at;
  Save({Jikan(1, "A", {{1, "Action"}, {8, "Drama"}})});
  BOOST_CHECK(ByMal(1)->updated_at == before);
  Save({Jikan(1, "A", {{1, "Action"}, {4, "Comedy"}})});
  BOOST_CHECK(ByMal(1)->updated_at > before);
  BOOST_TEST(ByMal(1)->genres.size() == 2U);
  BOOST_TEST(ByMal(1)->genres.at(1).name == "Comedy");
  Save({Jikan(1, "A")});
  BOOST_TEST(ByMal(1)->genres.empty());
}

BOOST_AUTO_TEST_CASE(a_genre_may_take_the_name_of_another_one) {
  test.Run("INSERT INTO anime_genres (name, kind) VALUES ('Racing', 'theme')");
  Save({Jikan(1, "A", {{3, "Cars"}})});
  Save({Jikan(2, "B", {{3, "Racing"}, {4, "Racing"}})});
  BOOST_TEST(ByMal(1)->genres.at(0).name == "Racing");
  BOOST_TEST(test.Value("SELECT count(*) FROM anime_genres WHERE mal_id = 3") == "1");
  BOOST_TEST(Names(List({.genre = "RACING"}).titles) == "A;B;");
}

BOOST_AUTO_TEST_CASE(a_title_written_by_hand_is_replaced_only_when_asked) {
  NewTitle title;
  title.mal_id = 7;
  title.title = "By hand";
  const auto add = [&] {
    return context.Write<TitleStore>([&](TitleStore& titles) { return titles.Add(title); });
  };
  BOOST_TEST(!add().second);
  title.title = "Another";
  BOOST_TEST(add().second);
  BOOST_TEST(add().first.title == "By hand");
  Save({Jikan(7, "Upstream", {{1, "Action"}})});
  BOOST_TEST(ByMal(7)->title == "By hand");
  BOOST_TEST(ByMal(7)->genres.empty());
  Save({Jikan(7, "Upstream", {{1, "Action"}})}, /*replaces_manual=*/true);
  BOOST_TEST(ByMal(7)->title == "Upstream");
  BOOST_TEST(ByMal(7)->genres.size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_was_missing_is_forgotten_when_it_appears) {
  const auto is_missing = [&](std::int64_t id) {
    return context.ReadOnce<TitleStore>([&](TitleStore& titles) { return titles.IsMissing(id); });
  };
  const auto remember = [&](std::int64_t id) {
    context.Write<SyncStore>([&](SyncStore& store) { store.RememberMissing(id, 6h); });
    BOOST_TEST(is_missing(id));
  };
  remember(1);
  Save({Jikan(1, "A")});
  BOOST_TEST(!is_missing(1));
  // A title that is there is not missing, whatever somebody has been told meanwhile.
  context.Write<SyncStore>([&](SyncStore& store) { store.RememberMissing(1, 6h); });
  BOOST_TEST(!is_missing(1));
  remember(2);
  context.Write<TitleStore>([&](TitleStore& titles) { return titles.Add({.mal_id = 2, .title = "B"}); });
  BOOST_TEST(!is_missing(2));
  remember(3);
  test.Run("UPDATE anime_missing SET until = now() - interval '1 second'");
  BOOST_TEST(!is_missing(3));
  tests::RunJob(Jobs(), "anime.sweep", context);
  BOOST_TEST(test.Value("SELECT count(*) FROM anime_missing") == "0");
}

BOOST_AUTO_TEST_CASE(a_copy_keeps_its_state_of_synchronization) {
  Save({Jikan(1, "A")});
  const auto state = [&] {
    return test.Value(
        "SELECT sync_state || ' ' || sync_failures || ' ' || coalesce(sync_error, '-') FROM anime_titles");
  };
  const auto later = context.Now() + 2h;
  BOOST_TEST(state() == "ok 0 -");
  context.Write<SyncStore>([&](SyncStore& store) { store.MarkFailed(1, "upstream_failed", later); });
  BOOST_TEST(state() == "error 1 upstream_failed");
  const auto known = context.ReadOnce<SyncStore>([](SyncStore& store) { return store.Find(1); });
  BOOST_TEST(known->failures == 1);
  BOOST_TEST(known->has_content);
  BOOST_TEST(known->validators.etag == "\"e\"");
  context.Write<SyncStore>([&](SyncStore& store) { store.MarkGone(1, later); });
  BOOST_TEST(state() == "gone 0 -");
  context.Write<SyncStore>([&](SyncStore& store) { store.Confirm(1, later); });
  BOOST_TEST(state() == "ok 0 -");
  BOOST_CHECK(std::chrono::abs(ByMal(1)->stale_at - later) < 1ms);
  BOOST_TEST(!context.ReadOnce<SyncStore>([](SyncStore& store) { return store.Find(2); }).has_value());
}

BOOST_AUTO_TEST_CASE(pages_of_the_catalogue_show_every_title_once) {
  std::vector<JikanTitle> titles;
  for (std::int64_t id = 1; id <= 250; ++id) {
    titles.push_back(Jikan(id, "T" + std::to_string(id)));
    if (id > 10) titles.back().score = id <= 110 ? 7.5 : 5 + static_cast<double>(id % 40) / 10;
  }
  Save(titles);
  for (const bool is_filtered : {false, true}) {
    std::set<std::int64_t> seen;
    std::optional<double> last = 11;
    for (std::int64_t offset = 0; offset < 275; offset += 25) {
      TitleFilter filter;
      if (is_filtered) filter.search = "t";
      const FoundTitles page = List(filter, {.limit = 25, .offset = offset});
      BOOST_TEST(page.total.value() == 250);
      for (const Title& title : page.titles) {
        BOOST_TEST(seen.insert(title.id).second);
        BOOST_TEST((last.has_value() || !title.score.has_value()));
        if (last && title.score) BOOST_TEST(*title.score <= *last);
        last = title.score;
      }
    }
    BOOST_TEST(seen.size() == 250U);
  }
}

BOOST_AUTO_TEST_CASE(filters_are_combined) {
  JikanTitle wanted = Jikan(1, "Paper Cranes", {{36, "Slice of Life"}, {8, "Drama"}});
  wanted.status = AiringStatus::kFinished;
  wanted.season = Season::kSpring;
  wanted.year = 2019;
  wanted.score = 7.5;
  wanted.type = "TV";
  JikanTitle other = wanted;
  other.mal_id = 2;
  other.year = 2020;
  JikanTitle explicit_one = wanted;
  explicit_one.mal_id = 3;
  explicit_one.rating = "Rx - Hentai";
  explicit_one.genres.push_back({12, "Hentai", GenreKind::kExplicit});
  Save({wanted, other, explicit_one});
  TitleFilter filter{.status = "finished",
                     .season = "spring",
                     .year = 2019,
                     .min_score = 7,
                     .search = "crane",
                     .genre = "slice",
                     .type = "tv"};
  filter.is_safe = true;
  BOOST_TEST(List(filter).titles.size() == 1U);
  filter.is_safe = false;
  BOOST_TEST(List(filter).titles.size() == 2U);
  const auto genre = [&](const char* name) {
    return std::stoll(
        test.Value("SELECT genre_id FROM anime_genres WHERE name = '" + std::string(name) + "'"));
  };
  filter.genre_ids = {genre("Slice of Life"), genre("Hentai")};
  BOOST_TEST(List(filter).titles.size() == 1U);
  // Only genres and themes count, unless all kinds are asked for.
  BOOST_TEST(List({.genre = "hentai"}).titles.empty());
  BOOST_TEST(List({.genre = "hentai", .with_all_genre_kinds = true}).titles.size() == 1U);
  BOOST_TEST(List({.genre = "_"}).titles.empty());
  BOOST_TEST(List({.genre = "%"}).titles.empty());
  BOOST_TEST(List({.search = "%"}).titles.empty());
  BOOST_TEST(List({}, {.order = "title"}).titles.size() == 3U);
  const auto genres = context.Read<TitleStore>([](TitleStore& titles) { return titles.Genres(true); });
  BOOST_TEST(genres.size() == 3U);
  BOOST_TEST(genres.at(0).titles == 3);
}

BOOST_AUTO_TEST_CASE(a_search_finds_any_title_literally_and_otherwise_what_resembles_it) {
  JikanTitle castle = Jikan(1, "Howl\u2019s Moving Castle");
  castle.title_japanese = "\u6708\u520a\u5c11\u5973";
  castle.synonyms = {"Walking House"};
  Save({castle, Jikan(2, "Fate/Apocrypha"), Jikan(3, "K"), Jikan(4, "Rosario + Vampire"),
        Jikan(5, "Fullmetal Alchemist")});
  for (const char* text : {"howls", "Howl's", "walking", "\u5c11\u5973"})
    BOOST_TEST(Search(text) == "Howl\u2019s Moving Castle;", text);
  BOOST_TEST(Search("Fate/Apo") == "Fate/Apocrypha;");
  BOOST_TEST(Search("+ vampire") == "Rosario + Vampire;");
  BOOST_TEST(Search("k").find("K;") != std::string::npos);
  for (const char* text : {"!", "\"", "-k"}) BOOST_TEST(Search(text) == "", text);
  const FoundTitles similar = List({.search = "fullmetl alchemist"});
  BOOST_TEST(Names(similar.titles) == "Fullmetal Alchemist;");
  BOOST_TEST(similar.is_similar);
  BOOST_TEST(!List({.search = "fullmetal"}).is_similar);
  // The filters apply to similar ones too.
  BOOST_TEST(List({.year = 1999, .search = "fullmetl alchemist"}).titles.empty());
}

BOOST_AUTO_TEST_CASE(a_list_is_of_its_account_alone) {
  Save({Jikan(1, "A"), Jikan(2, "B")});
  const Entry added = Add(1, Of("watching", 8.5));
  BOOST_TEST(added.title.title == "A");
  Add(2, Of("completed"));
  Context other(config, database, redis, "other");
  other.SetIdentity({test.AddUser("anime-other"), {}});
  const auto list = [](Context& of, std::optional<std::string> status) {
    return of.ReadOnce<EntryStore>([&](EntryStore& entries) { return entries.List(status, 10); });
  };
  BOOST_TEST(list(other, std::nullopt).empty());
  BOOST_TEST(list(context, std::nullopt).size() == 2U);
  BOOST_TEST(list(context, std::nullopt).at(0).title.title == "B");
  BOOST_TEST(list(context, "watching").size() == 1U);
  BOOST_TEST(!other.Write<EntryStore>([&](EntryStore& entries) { return entries.Delete(added.title.id); }));
  BOOST_TEST(!other.ReadOnce<EntryStore>([&](EntryStore& entries) { return entries.Find(added.title.id); })
                  .has_value());
  BOOST_TEST(context.ReadOnce<EntryStore>([&](EntryStore& entries) { return entries.Find(added.title.id); })
                 .has_value());
  const auto [page, total] = context.Read<EntryStore>([&](EntryStore& entries) {
    return entries.Page({.status = std::nullopt, .search = "a"}, {.order = "title", .limit = 1, .offset = 0});
  });
  BOOST_TEST(page.size() == 1U);
  BOOST_TEST(total == 1);
}

BOOST_AUTO_TEST_CASE(a_title_is_in_a_list_once) {
  Save({Jikan(1, "A")});
  const Entry entry = Add(1, Of("watching"));
  const auto again = context.Write<EntryStore>(
      [&](EntryStore& entries) { return entries.Add(entry.title, Of("completed")); });
  BOOST_TEST(!again.has_value());
  BOOST_TEST(test.Value("SELECT status FROM anime_entries") == "watching");
}

BOOST_AUTO_TEST_CASE(every_change_of_a_list_is_in_its_history) {
  Save({Jikan(1, "A")});
  const Entry added = Add(1, Of("watching", 8.5));
  Entry changed = context.Write<EntryStore>([&](EntryStore& entries) {
    const auto current = entries.Lock(added.title.id);
    return entries.Change(*current.entry, Of("completed"));
  });
  BOOST_TEST(changed.revision == 2);
  BOOST_CHECK(changed.updated_at > added.updated_at);
  // What the history does not tell is no change of it.
  EntryFields noted = changed.fields;
  noted.notes = "n";
  changed = context.Write<EntryStore>([&](EntryStore& entries) {
    const auto current = entries.Lock(added.title.id);
    return entries.Change(*current.entry, noted);
  });
  BOOST_TEST(changed.revision == 3);
  BOOST_TEST(context.Write<EntryStore>([&](EntryStore& entries) { return entries.Delete(added.title.id); }));
  const auto history = [&](std::optional<std::int64_t> title) {
    return context.ReadOnce<EntryStore>(
        [&](EntryStore& entries) { return entries.History(INT64_MAX, 10, title); });
  };
  const auto changes = history(std::nullopt);
  BOOST_TEST(changes.size() == 3U);
  BOOST_TEST(!changes.at(0).after.has_value());
  BOOST_TEST(changes.at(1).before->score.value() == 8.5);
  BOOST_TEST(changes.at(1).after->status == "completed");
  BOOST_TEST(!changes.at(2).before.has_value());
  BOOST_TEST(history(added.title.id).size() == 3U);
  BOOST_TEST(history(added.title.id + 1).empty());
  test.Run("UPDATE anime_history SET changed_at = now() - interval '20 years' WHERE change_id = " +
           std::to_string(changes.at(2).id));
  tests::RunJob(Jobs(), "anime.sweep", context);
  BOOST_TEST(history(std::nullopt).size() == 2U);
}

BOOST_AUTO_TEST_CASE(statistics_count_no_more_episodes_than_a_title_has) {
  JikanTitle title = Jikan(1, "A", {{8, "Drama"}});
  title.episodes = 24;
  Save({title, Jikan(2, "B", {{8, "Drama"}})});
  EntryFields over = Of("watching", 8);
  over.progress = 38;
  Add(1, over);
  Add(2, Of("plan_to_watch"));
  const ListCounts counts = context.Read<EntryStore>([](EntryStore& entries) { return entries.Count(); });
  BOOST_TEST(counts.total == 2);
  BOOST_TEST(counts.watching == 1);
  BOOST_TEST(counts.episodes_watched == 24);
  BOOST_TEST(counts.mean_score.value() == 8);
  BOOST_TEST(counts.scored == 1);
  BOOST_TEST(counts.top_genres.at(0).count == 2);
}

BOOST_AUTO_TEST_CASE(settings_of_a_list_are_kept) {
  const auto has = [&] {
    return context.ReadOnce<EntryStore>([](EntryStore& entries) { return entries.HasAutoRules(); });
  };
  BOOST_TEST(!has());
  for (const bool wanted : {true, false, true}) {
    context.Write<EntryStore>([&](EntryStore& entries) { entries.SetAutoRules(wanted); });
    BOOST_TEST(has() == wanted);
  }
}

// The worked example: A completed {Drama, Mystery}, B completed {Drama}, C dropped {Mecha}, D planned {Mystery}.
BOOST_AUTO_TEST_CASE(recommendations_follow_the_weightiest_genres) {
  const std::pair<std::int64_t, std::string> drama{8, "Drama"}, mystery{7, "Mystery"}, mecha{18, "Mecha"};
  const auto scored = [](JikanTitle title, std::optional<double> score) {
    title.score = score;
    return title;
  };
  Save({Jikan(1, "A", {drama, mystery}), Jikan(2, "B", {drama}), Jikan(3, "C", {mecha}),
        Jikan(4, "D", {mystery}), scored(Jikan(5, "E", {mecha}), 8.4), scored(Jikan(6, "F", {drama}), 8.1),
        scored(Jikan(7, "G", {drama, mystery}), 8.1), Jikan(8, "H", {drama})});
  BOOST_TEST(Recommended(kWeights) == "");
  Add(1, Of("completed"));
  Add(2, Of("completed"));
  Add(3, Of("dropped"));
  Add(4, Of("plan_to_watch"));
  BOOST_TEST(Recommended(kWeights) == "G;F;H;");
  BOOST_TEST(Recommended({1000, 1000, 1000, 1000, 1000}) == "E;G;F;H;");
  JikanTitle explicit_one = scored(Jikan(9, "X", {drama}), 9.9);
  explicit_one.rating = "Rx - Hentai";
  Save({explicit_one});
  BOOST_TEST(Recommended(kWeights) == "G;F;H;");
  Add(9, Of("completed"));
  for (const std::int64_t id : {5, 6, 7, 8}) Add(id, Of("watching"));
  BOOST_TEST(Recommended(kWeights) == "");
}

JikanTitle Related(JikanTitle title, std::vector<JikanRelation> relations) {
  title.relations = std::move(relations);
  return title;
}

BOOST_AUTO_TEST_CASE(relations_come_with_a_title_and_stay_when_a_list_brings_it_without) {
  Save({Related(Jikan(1, "A"),
                {{"Sequel", false, 2, "B"}, {"Adaptation", true, 2, "Book"}, {"Other", false, 9, "Z"}}),
        Jikan(2, "B")});
  const std::string all = "Sequel anime 2 B ours;Adaptation manga 2 Book;Other anime 9 Z;";
  BOOST_TEST(RelationsOf(1) == all);
  BOOST_TEST(RelationsOf(2) == "?");
  const auto has = [&](std::int64_t id) {
    return context.ReadOnce<SyncStore>([&](SyncStore& store) { return store.Find(id)->has_relations; });
  };
  BOOST_TEST(has(1));
  BOOST_TEST(!has(2));
  Save({Jikan(1, "A"), Related(Jikan(2, "B"), {})});
  BOOST_TEST(RelationsOf(1) == all);
  BOOST_TEST(RelationsOf(2) == "");
  // Replaced as a whole.
  Save({Related(Jikan(1, "A"), {{"Other", false, 9, "Z2"}, {"Sequel", false, 3, "C"}})});
  BOOST_TEST(RelationsOf(1) == "Other anime 9 Z2;Sequel anime 3 C;");
  Save({Related(Jikan(1, "A"), {})});
  BOOST_TEST(RelationsOf(1) == "");
  BOOST_TEST(
      !context.Read<TitleStore>([](TitleStore& titles) { return titles.RelationsOf(999'999); }).has_value());
}

BOOST_AUTO_TEST_CASE(a_title_written_by_hand_gets_no_relations_unless_it_is_replaced) {
  context.Write<TitleStore>([](TitleStore& titles) { return titles.Add({.mal_id = 1, .title = "Mine"}); });
  BOOST_TEST(RelationsOf(1) == "");
  Save({Related(Jikan(1, "A"), {{"Sequel", false, 2, "B"}})}, /*replaces_manual=*/false);
  BOOST_TEST(RelationsOf(1) == "");
  Save({Related(Jikan(1, "A"), {{"Sequel", false, 2, "B"}})}, /*replaces_manual=*/true);
  BOOST_TEST(RelationsOf(1) == "Sequel anime 2 B;");
}

// A, in the list, goes on with B; both sides know it, or one. D goes on from C, which nobody has, E from something that the
// catalogue does not have, and G from A or C.
BOOST_AUTO_TEST_CASE(sequels_of_what_is_not_in_the_list_can_be_hidden) {
  const std::pair<std::int64_t, std::string> drama{8, "Drama"};
  const auto of = [&](std::int64_t id, const char* name, std::vector<JikanRelation> relations) {
    return Related(Jikan(id, name, {drama}), std::move(relations));
  };
  Save({of(1, "A", {{"Sequel", false, 2, "B"}}), Jikan(2, "B", {drama}),
        of(3, "C", {{"Sequel", false, 4, "D"}, {"Side Story", false, 6, "F"}}), Jikan(4, "D", {drama}),
        of(5, "E", {{"Prequel", false, 77, "unknown"}}), of(6, "F", {{"Prequel", true, 1, "a manga"}}),
        of(7, "G", {{"Prequel", false, 3, "C"}, {"Prequel", false, 1, "A"}})});
  Add(1, Of("plan_to_watch"));
  RecommendationRules rules{.limit = 10, .weights = kWeights};
  for (const bool is_by_match : {false, true}) {
    rules.is_by_match = is_by_match;
    rules.hides_unseen_sequels = false;
    BOOST_TEST(Recommended(rules) == "B;C;D;E;F;G;");
    rules.hides_unseen_sequels = true;
    BOOST_TEST(Recommended(rules) == "B;C;F;G;");
  }
}

BOOST_AUTO_TEST_CASE(a_match_counts_taste_and_votes) {
  const std::pair<std::int64_t, std::string> drama{8, "Drama"}, mystery{7, "Mystery"}, mecha{18, "Mecha"};
  const auto voted = [](JikanTitle title, std::optional<double> score, std::optional<std::int64_t> votes) {
    title.score = score;
    title.scored_by = votes;
    return title;
  };
  // Drama weighs 2, mystery 1. The mean of all is 7.
  Save({Jikan(1, "A", {drama, mystery}), Jikan(2, "B", {drama}),
        voted(Jikan(10, "few voters", {drama, mystery}), 9.9, 8),           // 7.05 of 3 in 3
        voted(Jikan(11, "many voters", {drama, mystery}), 8.9, 1'000'000),  // 8.9 of 3 in 3
        voted(Jikan(12, "half of it", {drama}), 9.9, 1'000'000),            // 9.9 of 2 in 3
        voted(Jikan(13, "a third", {mystery}), 9.9, 1'000'000),             // 9.9 of 1 in 3
        voted(Jikan(14, "no score", {drama, mystery}), std::nullopt, 50),   // 7 of 3 in 3
        voted(Jikan(15, "other taste", {mecha}), 1, 1'000'000),
        voted(Jikan(16, "low", {mecha}), 2.4, 1'000'000)});
  Add(1, Of("completed"));
  Add(2, Of("completed"));
  BOOST_TEST(test.Value("SELECT round(avg(score)::numeric, 2) FROM anime_titles") == "7.00");
  const RecommendationRules rules{.limit = 10, .weights = kWeights, .is_by_match = true};
  BOOST_TEST(Recommended(rules) == "many voters;few voters;no score;half of it;a third;");
  BOOST_TEST(Recommended(kWeights) == "few voters;half of it;a third;many voters;no score;");
  RecommendationRules two = rules;
  two.limit = 2;
  BOOST_TEST(Recommended(two) == "many voters;few voters;");
  // Only dropped titles: their genres count by their numbers.
  test.Run("UPDATE anime_entries SET status = 'dropped'");
  BOOST_TEST(Recommended(rules) == "many voters;few voters;no score;half of it;a third;");
  test.Run("DELETE FROM anime_entries");
  BOOST_TEST(Recommended(rules) == "");
}

BOOST_AUTO_TEST_CASE(a_list_of_dropped_titles_recommends_by_their_number) {
  Save({Jikan(1, "A", {{8, "Drama"}}), Jikan(2, "B", {{8, "Drama"}})});
  Add(1, Of("dropped"));
  BOOST_TEST(Recommended(kWeights) == "B;");
}

BOOST_AUTO_TEST_CASE(twenty_wishes_for_the_top_list_are_one_job) {
  const JobId first = EnqueueSyncTop(context, 60);
  BOOST_CHECK(EnqueueSyncTop(context, 25) == first);
  BOOST_CHECK(EnqueueSyncTitle(context, 5) != EnqueueSyncTitle(context, 6));
  const auto job = context.ReadOnce<SyncStore>([&](SyncStore& store) { return store.FindJob(first); });
  BOOST_TEST(job->kind == "anime.sync_top");
  BOOST_TEST(job->state == "queued");
  BOOST_TEST(
      !context.ReadOnce<SyncStore>([&](SyncStore& store) { return store.FindJob(JobId{-1}); }).has_value());
}

// 6,001 titles of both genres have more links than are sorted; the best title has only the second one.
BOOST_AUTO_TEST_CASE(recommendations_from_overlapping_genres_are_the_best_of_all) {
  const std::pair<std::int64_t, std::string> drama{8, "Drama"}, mystery{7, "Mystery"};
  Save({Jikan(1, "A", {drama, mystery})});
  test.Run(
      "INSERT INTO anime_titles (mal_id, title, search_text, score, source)"
      " SELECT 1000 + n, 'T' || n, 't', 5, 'jikan' FROM generate_series(1, 3001) n");
  test.Run(
      "INSERT INTO anime_title_genres (anime_id, genre_id) SELECT anime_id, genre_id FROM anime_titles, "
      "anime_genres"
      " WHERE anime_titles.mal_id > 1000");
  for (const auto& [id, genre] : {std::pair(2, drama), std::pair(3, mystery)}) {
    JikanTitle best = Jikan(id, "Best of " + genre.second, {genre});
    best.score = 9;
    Save({best});
  }
  Add(1, Of("completed"));
  BOOST_TEST(Recommended(kWeights).starts_with("Best of Drama;Best of Mystery;"));
}

BOOST_AUTO_TEST_CASE(statistics_of_the_largest_numbers_are_counted) {
  JikanTitle title = Jikan(1, "A");
  title.episodes = 2147483647;
  Save({title, Jikan(2, "B")});
  EntryFields fields = Of("completed");
  fields.progress = 2147483647;
  fields.rewatches = 2;
  Add(1, fields);
  Add(2, fields);
  const ListCounts counts = context.Read<EntryStore>([](EntryStore& entries) { return entries.Count(); });
  BOOST_TEST(counts.episodes_watched == 6 * 2147483647LL);
}

BOOST_AUTO_TEST_CASE(a_renamed_genre_changes_the_titles_that_have_it) {
  Save({Jikan(1, "A", {{3, "Cars"}}), Jikan(2, "B", {{4, "Comedy"}})});
  const auto before = ByMal(1)->updated_at, other = ByMal(2)->updated_at;
  Save({Jikan(3, "C", {{3, "Racing"}})});
  BOOST_CHECK(ByMal(1)->updated_at > before);
  BOOST_CHECK(ByMal(2)->updated_at == other);
  const auto after = ByMal(1)->updated_at;
  Save({Jikan(3, "C", {{3, "Racing"}})});
  BOOST_CHECK(ByMal(1)->updated_at == after);
}

BOOST_AUTO_TEST_CASE(long_texts_of_the_upstream_are_cut) {
  JikanTitle title = Jikan(1, "A");
  title.synopsis = "";
  for (int i = 0; i < 30'000; ++i) *title.synopsis += "\u0436";
  for (int i = 0; i < 50; ++i) title.synonyms.push_back(std::to_string(i) + std::string(990, 'x'));
  Save({title});
  BOOST_TEST(test.Value("SELECT length(synopsis) FROM anime_titles") == "20000");
  BOOST_TEST(std::stoi(test.Value("SELECT octet_length(search_text) FROM anime_titles")) <= 16'384);
  BOOST_TEST(Search("a") == "A;");
}

BOOST_AUTO_TEST_CASE(imports_whose_job_has_ended_give_their_files_back) {
  const auto import = [&](const std::string& state) {
    Reservation room(database, user, 5);
    BlobWriter writer(database, &room);
    writer.Write(state);
    const BlobInfo file = writer.Finish();
    const JobId id =
        context.Write<ListImportStore, Transaction>([&](ListImportStore& imports, Transaction& transaction) {
          room.Settle(transaction.tx);
          return imports.Add({.strategy = ImportStrategy::kKeep, .entries = 1, .file = file});
        });
    writer.Keep();
    if (state != "queued")
      test.Run("UPDATE jobs SET state = '" + state +
               "', finished_at = now() WHERE job_id = " + std::to_string(static_cast<std::int64_t>(id)));
    return id;
  };
  const JobId dead = import("dead"), cancelled = import("cancelled"), queued = import("queued");
  const UserId owner = user;
  tests::RunJob(Jobs(), "anime.sweep", context);
  context.SetIdentity({owner, {}});
  const auto find = [&](JobId id) {
    return context.ReadOnce<ListImportStore>([&](ListImportStore& imports) { return imports.Find(id); })
        .value();
  };
  BOOST_TEST(find(dead).state == "failed");
  BOOST_TEST(find(dead).code.value() == "internal");
  BOOST_TEST(!find(dead).file.has_value());
  BOOST_TEST(find(cancelled).state == "failed");
  BOOST_TEST(find(cancelled).code.value() == "cancelled");
  BOOST_TEST(find(queued).state == "pending");
  BOOST_TEST(find(queued).file.has_value());
}

// The address is refused before anything is sent, which is a failure of the upstream as any other.
BOOST_AUTO_TEST_CASE(a_failed_sync_is_recorded_once_and_not_tried_again_at_once) {
  Save({Jikan(1, "A")});
  Config away = config;
  away.outbound_networks = "";
  away.Of<anime::Settings>().anime_jikan_url = "http://127.0.0.1:1/v4";
  Context offline(away, database, redis, "offline");
  tests::Unstoppable control;
  BOOST_CHECK_NO_THROW(SyncTitle(offline, 1, /*is_patient=*/true, control));
  BOOST_TEST(test.Value("SELECT sync_failures FROM anime_titles") == "1");
  BOOST_TEST(control.last_message == "upstream_refused_address");
  BOOST_CHECK(ByMal(1)->stale_at > context.Now() + 50min);
}

BOOST_AUTO_TEST_CASE(a_sync_that_somebody_asks_for_goes_before_the_one_in_the_background) {
  const JobId waiting = context.Write<Transaction>(
      [&](Transaction& transaction) { return EnqueueSyncInBackground(transaction.tx, 5); });
  const JobId asked = EnqueueSyncTitle(context, 5);
  const auto priority = [&](JobId id) {
    return std::stoi(test.Value("SELECT priority FROM jobs WHERE job_id = " +
                                std::to_string(static_cast<std::int64_t>(id))));
  };
  BOOST_TEST(priority(asked) > priority(waiting));
  BOOST_CHECK(EnqueueSyncTitle(context, 5) == asked);
}

BOOST_AUTO_TEST_CASE(old_history_is_found_by_an_index_and_deleted_in_steps) {
  Save({Jikan(1, "A")});
  Add(1, Of("watching"));
  test.Run("UPDATE anime_history SET changed_at = now() - interval '20 years'");
  tests::RunJob(Jobs(), "anime.sweep", context);
  BOOST_TEST(test.Value("SELECT count(*) FROM anime_history") == "0");
  for (const char* column : {"anime_history (changed_at)", "anime_imports (created_at)"}) {
    const std::string name = std::string(column).substr(0, std::string(column).find(' '));
    BOOST_TEST(
        test.Value("SELECT count(*) FROM pg_indexes WHERE tablename = '" + name + "' AND indexdef LIKE '% " +
                   std::string(column).substr(name.size() + 1) + "'") == "1",
        column);
  }
}

BOOST_AUTO_TEST_CASE(pages_of_a_list_show_every_entry_once_the_newest_first) {
  test.Run(
      "INSERT INTO anime_titles (mal_id, title, search_text, source) SELECT n, 'T' || n, 't', 'jikan'"
      " FROM generate_series(1, 25) n");
  // Some were added at one moment.
  test.Run("INSERT INTO anime_entries (user_id, anime_id, status, created_at) SELECT " +
           std::to_string(static_cast<std::int64_t>(user)) +
           ", anime_id, CASE WHEN mal_id % 2 = 0 THEN 'watching' ELSE 'dropped' END,"
           " now() - (mal_id / 5) * interval '1 second' FROM anime_titles");
  for (const auto& status : {std::optional<std::string>(), std::optional<std::string>("watching")}) {
    std::set<std::int64_t> seen;
    std::optional<Entry> last;
    for (std::size_t rows = 4; rows == 4;) {
      const auto page =
          context.ReadOnce<EntryStore>([&](EntryStore& entries) { return entries.List(status, 4, last); });
      for (const Entry& entry : page) {
        BOOST_TEST(seen.insert(entry.id).second);
        if (last) BOOST_CHECK(entry.created_at <= last->created_at);
        last = entry;
      }
      rows = page.size();
    }
    const auto number = context.Read<EntryStore>([&](EntryStore& entries) { return entries.Number(status); });
    BOOST_TEST(seen.size() == static_cast<std::size_t>(number));
    BOOST_TEST(number == (status ? 12 : 25));
  }
  const auto room = context.ReadOnce<EntryStore>([](EntryStore& entries) { return entries.Room(); });
  BOOST_TEST(room == kMaxEntries - 25);
}

BOOST_AUTO_TEST_CASE(files_of_an_account_name_a_bounded_number_of_unknown_titles) {
  const auto room = [&] {
    return context.Read<ListImportStore>([](ListImportStore& imports) { return imports.RoomForStubs(); });
  };
  const auto added = context.Write<ListImportStore>([](ListImportStore& imports) {
    return imports.AddStubs({{1, "A", {}, {}}, {2, "B", {}, {}}});
  });
  BOOST_TEST(added.size() == 2U);
  BOOST_TEST(room() == kMaxStubs - 2);
  Save({Jikan(1, "Fetched")});
  BOOST_TEST(room() == kMaxStubs - 1);
  test.Run(
      "INSERT INTO anime_titles (mal_id, title, search_text, source, named_by) SELECT 10 + n, 'x', 'x', "
      "'stub', " +
      std::to_string(static_cast<std::int64_t>(user)) + " FROM generate_series(1, 6000) n");
  BOOST_TEST(room() == 0);
  Context other(config, database, redis, "other");
  other.SetIdentity({test.AddUser("anime-stubs"), {}});
  BOOST_TEST(other.Read<ListImportStore>([](ListImportStore& imports) { return imports.RoomForStubs(); }) ==
             kMaxStubs);
}

BOOST_AUTO_TEST_CASE(a_title_that_the_upstream_does_not_know_is_dropped_when_nothing_names_it) {
  context.Write<ListImportStore>([](ListImportStore& imports) {
    return imports.AddStubs({{1, "Listed", {}, {}}, {2, "Once", {}, {}}, {3, "", {}, {}}, {4, "", {}, {}}});
  });
  Save({Jikan(5, "Fetched")});
  context.Write<SyncStore>([&](SyncStore& store) {
    for (const std::int64_t id : {1, 2, 3, 5}) store.MarkGone(id, context.Now());
  });
  Add(1, Of("watching"));
  const Entry once = Add(2, Of("watching"));
  context.Write<EntryStore>([&](EntryStore& entries) { return entries.Delete(once.title.id); });
  tests::RunJob(Jobs(), "anime.sweep", context);
  BOOST_TEST(test.Value("SELECT string_agg(mal_id::text, ' ' ORDER BY mal_id) FROM anime_titles") ==
             "1 2 4 5");
  // Whoever has seen it before cannot add it now.
  EntryTitle dropped;
  dropped.id = 2147483647;
  BOOST_TEST(
      !context.Write<EntryStore>([&](EntryStore& entries) { return entries.Add(dropped, Of("watching")); })
           .has_value());
}

BOOST_AUTO_TEST_CASE(readers_of_one_network_refresh_a_bounded_number_of_copies) {
  Request request;
  request.remote_address = "192.0.2." + std::to_string(std::random_device()() % 250);
  redis.Command({"DEL", "syncline:rate:anime:refreshes:" + request.remote_address});
  const std::int64_t first =
      1'000'000'000 + static_cast<std::int64_t>(std::random_device()() % 1'000'000) * 100;
  for (std::int64_t id = first; id < first + 50; ++id) RefreshLater(context, request, id);
  const int jobs = std::stoi(test.Value("SELECT count(*) FROM jobs"));
  BOOST_TEST(jobs >= 10);
  BOOST_TEST(jobs <= 20);
  BOOST_TEST(test.Value("SELECT max(priority) FROM jobs") == "-10");
  Request other;
  other.remote_address = "198.51.100.1";
  RefreshLater(context, other, first + 49);
  BOOST_TEST(std::stoi(test.Value("SELECT count(*) FROM jobs")) == jobs + 1);
}

BOOST_AUTO_TEST_CASE(every_order_of_the_catalogue_is_that_of_an_index) {
  const auto connection = test.Connect();
  for (const std::string order : {"lower(left(title, 255))", "created_at DESC", "members DESC NULLS LAST"}) {
    tests::RunOn(connection.get(), "SET enable_seqscan = off; SET enable_sort = off");
    const auto plan =
        tests::RunOn(connection.get(), "EXPLAIN SELECT anime_id FROM anime_titles ORDER BY " + order +
                                           ", score DESC NULLS LAST, anime_id LIMIT 25");
    std::string text;
    for (const auto& row : plan) text += row[0];
    BOOST_TEST(text.find("Sort") == text.npos, text);
  }
}

BOOST_AUTO_TEST_SUITE_END()
