// Imports of lists against PostgreSQL: that batches count once, and what is kept of an import for how long.
#include <boost/test/unit_test.hpp>
#include <string>

#include "handlers/anime/entry_store.h"
#include "handlers/anime/jobs.h"
#include "handlers/anime/list_import_flow.h"
#include "handlers/anime/list_import_store.h"
#include "handlers/base/context.h"
#include "tests/support/inputs.h"
#include "tests/support/jobs.h"
#include "tests/support/test_database.h"

using namespace syncline;
using namespace syncline::anime;
using tests::TestDatabase;

namespace {

struct Stopped {};

// Stops a job at the `stop`-th report of progress, as a killed worker does.
struct Stoppable : tests::Unstoppable {
  void Progress(std::int64_t, std::int64_t, std::string_view) override {
    if (--stop == 0) throw Stopped{};
  }
  int stop = -1;
};

struct Fixture {
  TestDatabase& test = TestDatabase::Instance();
  sql::Database database{test.settings()};
  Config config = test.config();
  Redis redis{config.redis_url};
  Context context{config, database, redis, "test"};

  Fixture() {
    static int users = 0;
    test.Empty("anime_titles, anime_entries, anime_history, anime_imports, jobs");
    context.SetIdentity({test.AddUser("importer-" + std::to_string(++users)), {}});
  }

  JobId Receive(int entries, bool is_dry_run = false) {
    std::string file = "<myanimelist>";
    for (int id = 1; id <= entries; ++id) {
      file += "<anime><series_animedb_id>" + std::to_string(id) +
              "</series_animedb_id><series_title>A</series_title><my_status>1</my_status></anime>";
    }
    tests::PieceBody body(file + "</myanimelist>");
    return ReceiveList(context, body, std::nullopt, ImportStrategy::kNewer, is_dry_run);
  }
  void Run(JobId id, int stop = -1) {
    Stoppable control;
    control.stop = stop;
    ImportList({.id = id, .kind = "anime.import_list", .user = context.user(), .args = "{}", .attempt = 1},
               context, control);
  }
  std::optional<ListImport> Find(JobId id) {
    return context.Read<ListImportStore>([&](ListImportStore& imports) { return imports.Find(id); });
  }
  std::string Count(const char* table) { return test.Value(std::string("SELECT count(*) FROM ") + table); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(anime_imports, Fixture)

BOOST_AUTO_TEST_CASE(an_import_that_was_stopped_goes_on_behind_its_last_batch) {
  const JobId id = Receive(1200);
  BOOST_CHECK_THROW(Run(id, 2), Stopped);
  BOOST_TEST(Find(id)->counts.read == 500);
  BOOST_TEST(Count("anime_entries") == "500");
  // What the first attempt has added is not touched again.
  test.Run("DELETE FROM anime_entries WHERE anime_id = (SELECT min(anime_id) FROM anime_entries)");
  Run(id);
  BOOST_TEST(Count("anime_entries") == "1199");
  BOOST_TEST(Count("anime_history") == "1200");
  const ListImport done = Find(id).value();
  BOOST_TEST((done.state == "done" && done.counts.added == 1200 && done.counts.unknown_titles == 1200));
  BOOST_TEST(test.Value("SELECT count(*) FROM jobs WHERE kind = 'anime.sync_title' AND priority < 0") ==
             "1200");
}

BOOST_AUTO_TEST_CASE(two_workers_cannot_count_a_batch_twice) {
  const JobId id = Receive(3);
  const auto save = [&](std::int64_t before, std::int64_t read) {
    return tests::CodeOf([&] {
      context.Write<ListImportStore>(
          [&](ListImportStore& imports) { imports.Save(id, before, {.read = read, .added = read}, {}); });
    });
  };
  BOOST_TEST(save(0, 2) == "");
  BOOST_TEST(save(0, 2) == "import_moved");
  BOOST_TEST(save(2, 3) == "");
  context.Write<ListImportStore>([&](ListImportStore& imports) { imports.Failed(id, "internal"); });
  BOOST_TEST(save(3, 3) == "import_moved");
}

BOOST_AUTO_TEST_CASE(a_dry_run_writes_nothing_but_its_report) {
  const JobId id = Receive(700, /*is_dry_run=*/true);
  Run(id);
  BOOST_TEST((Find(id)->counts.added == 700 && Find(id)->counts.unknown_titles == 700));
  for (const char* table : {"anime_entries", "anime_titles", "anime_history"})
    BOOST_TEST(Count(table) == "0");
}

BOOST_AUTO_TEST_CASE(old_imports_and_the_files_of_those_that_never_ended_are_swept) {
  const JobId done = Receive(2), never = Receive(3), young = Receive(4);
  const auto end = [&](JobId id, const char* state) {
    test.Run(std::string("UPDATE jobs SET state = '") + state +
             "', finished_at = now() WHERE job_id = " + std::to_string(static_cast<std::int64_t>(id)));
  };
  Run(done);
  end(done, "done");
  BOOST_TEST(Count("blob_refs") == "2");
  test.Run("UPDATE anime_imports SET created_at = now() - interval '31 days' WHERE job_id <> " +
           std::to_string(static_cast<std::int64_t>(young)));
  tests::RunJob(Jobs(), "anime.sweep", context);
  // The job of the other one still waits.
  BOOST_TEST(Count("anime_imports") == "2");
  end(never, "dead");
  tests::RunJob(Jobs(), "anime.sweep", context);
  BOOST_TEST(Count("anime_imports") == "1");
  BOOST_TEST(Count("blob_refs") == "1");
  BOOST_TEST(Find(young).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
