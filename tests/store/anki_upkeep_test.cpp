// Background work on collections: replaced ones expire, and the nightly check reports its findings. The jobs
// run as the worker would call them.
#include <boost/test/unit_test.hpp>

#include "handlers/anki/collection/check_flow.h"
#include "handlers/anki/file/full_sync_store.h"
#include "handlers/anki/jobs.h"
#include "handlers/anki/settings.h"
#include "handlers/base/blobs.h"
#include "sql/database.h"
#include "tests/support/jobs.h"
#include "tests/support/test_database.h"

using namespace syncline;
using namespace syncline::anki;
using tests::TestDatabase;
using tests::Unstoppable;

namespace {

struct Fixture {
  TestDatabase& test = TestDatabase::Instance();
  sql::Database database{test.settings()};
  Config config = test.config();
  UserId user;

  Fixture() {
    static int users = 0;
    user = test.AddUser("anki-upkeep-" + std::to_string(++users));
  }

  NewCollection CollectionOf(const std::string& bytes) {
    BlobWriter writer(database);
    writer.Write(bytes);
    NewCollection next;
    next.meta = next.file = {.created_s = 0, .mod_ms = 1, .schema_ms = 1, .last_sync_ms = 1, .usn = 5};
    next.objects.config_json = "{}";
    next.objects.decks = {{.id = 1, .name = "Default", .mod = 1, .usn = 0, .json = "{\"id\":1}"}};
    next.counts = {0, 0, 0, 0, 1, 0};
    next.blob = writer.Finish();
    writer.Keep();
    next.bytes = static_cast<std::int64_t>(bytes.size());
    return next;
  }
  void Replace(const NewCollection& next) {
    database.Write([&](sql::Tx& tx) { FullSyncStore(tx, user).Replace(next); });
  }
  std::vector<std::string> Findings() {
    Redis redis(config.redis_url);
    Context context(config, database, redis, "check");
    context.SetIdentity({user, {}});
    Unstoppable control;
    return CheckCollection(context, control);
  }
  std::size_t HistoryEntries() {
    return database.Read([&](sql::Tx& tx) { return FullSyncStore(tx, user).History().size(); });
  }
  std::string RunJob(const char* name) {
    Redis redis(config.redis_url);
    Context context(config, database, redis, "job-1");
    return tests::RunJob(Jobs(), name, context);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(anki_upkeep, Fixture)

BOOST_AUTO_TEST_CASE(a_sound_collection_with_graves_and_history_has_no_findings) {
  NewCollection first = CollectionOf("upkeep one");
  first.graves = {{GraveKind::kCard, 7, 3}, {GraveKind::kNote, 8, 4}};
  Replace(first);
  Replace(CollectionOf("upkeep two"));
  BOOST_TEST(Findings().empty());
}

BOOST_AUTO_TEST_CASE(wrong_counters_and_future_usns_are_reported_and_not_repaired) {
  NewCollection first = CollectionOf("upkeep wrong");
  first.counts.decks = 3;
  first.graves = {{GraveKind::kCard, 7, 9}};
  Replace(first);
  const auto findings = Findings();
  BOOST_REQUIRE_EQUAL(findings.size(), 2u);
  BOOST_TEST(findings[0] == "decks: counter says 3, there are 1");
  BOOST_TEST(findings[1] == "a row has usn 9, the collection is at 5");
  BOOST_TEST(RunJob("anki.check").find("collections with findings") != std::string::npos);
  BOOST_TEST(Findings() == findings, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_changed_row_that_no_list_has_is_reported) {
  NewCollection first = CollectionOf("upkeep unlisted");
  first.counts.revlog = 1;
  Replace(first);
  const std::string id = std::to_string(static_cast<std::int64_t>(user));
  test.Run("UPDATE anki_collections SET import_step = 3, usn = 7 WHERE user_id = " + id);
  test.Run(
      "INSERT INTO anki_revlog (user_id, generation, id, card_id, usn, ease, interval, last_interval, factor,"
      " taken_ms, type) VALUES (" +
      id + ", 1, 11, 1, 6, 1, 1, 1, 0, 1, 0)");
  const auto list = [&](const char* ids, const char* usn) {
    test.Run("INSERT INTO anki_changed (user_id, generation, part, usn, last_id, ids) VALUES (" + id +
             ", 1, 8, " + usn + ", 12, '" + ids + "')");
  };
  list("{11,12}", "5");
  list("{10,12}", "6");
  BOOST_TEST(Findings() == std::vector<std::string>{"revlog: 1 changed but not listed"},
             boost::test_tools::per_element());
  test.Run("UPDATE anki_changed SET ids = '{11,12}' WHERE usn = 6");
  BOOST_TEST(Findings().empty());
}

BOOST_AUTO_TEST_CASE(an_expired_collection_is_removed_with_its_file) {
  Replace(CollectionOf("upkeep old"));
  Replace(CollectionOf("upkeep new"));
  RunJob("anki.sweep_history");
  BOOST_TEST(HistoryEntries() == 1u);
  config.Of<anki::Settings>().history_days = 0;
  RunJob("anki.sweep_history");
  BOOST_TEST(HistoryEntries() == 0u);
  // The current file still has its reference, the old one has none: there is nothing to report.
  BOOST_TEST(Findings().empty());
}

BOOST_AUTO_TEST_CASE(the_room_of_ended_sessions_is_given_back_by_the_sweep) {
  const auto size = [&] {
    return std::stoll(
        test.Value("SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relname LIKE "
                   "'anki_staged_%' AND relkind = 'r'"));
  };
  const std::int64_t before = size();
  test.Run(
      "INSERT INTO anki_staged_notes (user_id, fence, ids, guids, notetype_ids, mods, tags, fields) SELECT "
      "1, i, '{}', '{}', '{}', '{}', '{}', ARRAY[repeat(md5(i::text), 32768)] FROM generate_series(1, 80) i");
  BOOST_TEST(size() > before + (80 << 20));
  // Of a session that is alive, nothing is reclaimed, and the tables are not read for nothing.
  test.Run(
      "INSERT INTO anki_sessions (user_id, session_key, generation, server_usn, client_usn, client_is_newer, "
      "to_send, staged, staged_bytes, expires_at) VALUES (1, 'k', 1, 1, 1, false, 0, 63, 80 << 20, now() + "
      "interval '1 hour')");
  RunJob("anki.sweep_sessions");
  BOOST_TEST(size() > before + (80 << 20));
  test.Run("UPDATE anki_sessions SET expires_at = now() - interval '1 second'");
  RunJob("anki.sweep_sessions");
  BOOST_TEST(size() < before + (1 << 20));
}

BOOST_AUTO_TEST_SUITE_END()
