// Whole collections as rows and files: requirements for an upload, and how a replaced collection becomes a
// file and is restored. Uploads, imports and archives run as a request or the worker would call them.
#include <sqlite3.h>

#include <boost/test/unit_test.hpp>

#include "handlers/anki/collection/check_store.h"
#include "handlers/anki/collection/problem_store.h"
#include "handlers/anki/file/file_wire.h"
#include "handlers/anki/file/file_wire_vfs.h"
#include "handlers/anki/file/full_sync_flow.h"
#include "handlers/anki/file/full_sync_store.h"
#include "handlers/anki/jobs.h"
#include "handlers/anki/restore/restore_flow.h"
#include "handlers/anki/settings.h"
#include "handlers/base/errors.h"
#include "handlers/base/temp_file.h"
#include "handlers/base/zstd.h"
#include "sql/database.h"
#include "tests/support/inputs.h"
#include "tests/support/jobs.h"
#include "tests/support/test_database.h"

using namespace syncline;
using tests::PieceBody;
using tests::StringSink;
using namespace syncline::anki;
using tests::TestDatabase;
using tests::Unstoppable;

namespace {

constexpr CollectionMeta kMeta{.created_s = 1'700'000'000,
                               .mod_ms = 1'700'000'001'000,
                               .schema_ms = 1'700'000'000'000,
                               .last_sync_ms = 0,
                               .usn = 3};

using Texts = std::vector<std::string>;

struct Fixture {
  TestDatabase& test = TestDatabase::Instance();
  sql::Database database{test.settings()};
  Config config = test.config();
  UserId user;
  std::string id;  // the user's, for queries
  Redis redis{config.redis_url};
  Context context{config, database, redis, "test"};

  Fixture() {
    static int users = 0;
    config.temp_dir = "/tmp";
    user = test.AddUser("anki-full-" + std::to_string(++users));
    id = std::to_string(static_cast<std::int64_t>(user));
    context.SetIdentity({user, {}});
  }

  // A collection with these notes, each with a card, as a device sends it; `odd` is SQL that modifies the
  // file.
  std::string FrameOf(const Texts& notes, const char* odd = "") {
    const TempFile file(config.temp_dir);
    CreateEmptyCollection(file.path(), kMeta);
    CollectionFileWriter writer(file.path());
    std::int64_t next = 1000;
    for (const std::string& text : notes) {
      Note note{};
      note.id = ++next;
      note.guid = "guid" + std::to_string(next);
      note.notetype_id = kMeta.schema_ms;
      note.fields = text + "\x1f";
      writer.PutNote(note);
      Card card{};
      card.id = next + 100'000;
      card.note_id = note.id;
      card.deck_id = 1;
      writer.PutCard(card);
    }
    writer.SetMeta(kMeta);
    writer.Finish();
    sqlite3* db = nullptr;
    BOOST_REQUIRE(sqlite3_open_v2(file.path().c_str(), &db, SQLITE_OPEN_READWRITE, sqlite::PrivateVfs()) ==
                  SQLITE_OK);
    BOOST_REQUIRE(sqlite3_exec(db, odd, nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(db);
    StringSink bytes;
    file.ReadAll(bytes);
    return ZstdCompress(bytes.text);
  }
  void Upload(std::string_view frame) {
    PieceBody body{std::string(frame)};
    ReceiveUpload(context, body, UploadForm::kFrame, std::nullopt, "26.9.3,test,linux");
  }
  void UploadAndImport(const Texts& notes) {
    Upload(FrameOf(notes));
    Unstoppable control;
    ImportFile(context, Current().generation, control);
  }
  // A note from a sync: newer than the base file.
  void SyncNote(const std::string& text) {
    test.Run(
        "INSERT INTO anki_notes (user_id, generation, id, notetype_id, mod, usn, guid, tags, fields)"
        " SELECT user_id, generation, 5000, " +
        std::to_string(kMeta.schema_ms) + ", 1, usn, 'synced', '', '" + text +
        "' || chr(31) FROM anki_collections WHERE user_id = " + id +
        "; INSERT INTO anki_changed (user_id, generation, part, usn, last_id, ids)"
        " SELECT user_id, generation, 32, usn, 5000, '{5000}' FROM anki_collections WHERE user_id = " +
        id +
        "; UPDATE anki_collections SET notes = notes + 1, notes_usn = usn, usn = usn + 1,"
        " mod_ms = mod_ms + 1 WHERE user_id = " +
        id);
  }

  Collection Current() {
    return context.Read<CollectionStore>([](CollectionStore& store) { return store.Find().value(); });
  }
  std::vector<HistoryEntry> History() {
    return context.Read<FullSyncStore>([](FullSyncStore& store) { return store.History(); });
  }
  // The first fields of the notes in its base file, which must pass the check of an upload.
  Texts NotesInFileOf(const Collection& collection) {
    const auto file = FetchBase(context, collection);
    Texts texts;
    CollectionFile::Open(file->path(), CollectionFile::Check::kFull).EachNote(0, -1, [&](const Note& note) {
      texts.push_back(note.fields.substr(0, note.fields.find('\x1f')));
    });
    return texts;
  }
  // The number of rows of one generation in all its tables.
  std::string RowsOf(int generation) {
    std::string count = "SELECT 0";
    for (const char* table : {"cards", "notes", "revlog", "graves", "objects", "tags", "config"}) {
      count += std::string(" + (SELECT count(*) FROM anki_") + table + " WHERE user_id = " + id +
               " AND generation = " + std::to_string(generation) + ")";
    }
    return test.Value(count);
  }
  std::vector<Problem> Problems() {
    return context.Read<ProblemStore>([](ProblemStore& store) { return store.Newest(); });
  }
  std::int64_t UsedBytes() {
    return std::stoll(test.Value("SELECT coalesce(sum(bytes), 0) FROM usage WHERE user_id = " + id));
  }
  void SetQuota(std::int64_t bytes) {
    test.Run("UPDATE users SET quota_bytes = " + std::to_string(bytes) + " WHERE user_id = " + id);
  }
};

bool IsBadFrame(const Error& error) {
  return error.kind() == ErrorKind::kBadInput && error.code() == "bad_zstd";
}

const auto kNothing = [] {};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(anki_full_sync, Fixture)

// --- Uploads

BOOST_AUTO_TEST_CASE(a_truncated_doubled_or_extended_upload_changes_nothing) {
  Upload(FrameOf({"mine"}));
  const std::int64_t used = UsedBytes();
  const std::string frame = FrameOf({"other", "notes"});
  // The last byte belongs to the last block; without it most of a file could still be decompressed.
  for (const std::string& bad : {frame.substr(0, frame.size() - 1), frame.substr(0, frame.size() / 2),
                                 frame + frame, frame + '\0', std::string()}) {
    BOOST_CHECK_EXCEPTION(Upload(bad), Error, IsBadFrame);
  }
  BOOST_TEST(Current().generation == 1);
  BOOST_TEST(History().empty());
  BOOST_TEST(UsedBytes() == used);
  BOOST_TEST(NotesInFileOf(Current()) == Texts{"mine"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_upload_over_the_limit_is_refused_with_a_sentence) {
  Upload(FrameOf({"mine"}));
  const std::string frame = FrameOf({std::string(600'000, 'x')});
  BOOST_REQUIRE(frame.size() < 100'000u);  // small when compressed: only its content is too large
  config.Of<anki::Settings>().max_collection_mib = 1;
  BOOST_CHECK_EXCEPTION(Upload(frame), FileRefused, [](const FileRefused& refused) {
    return refused.what() == std::string("Your collection is larger than this server accepts (1 MiB).");
  });
  BOOST_TEST(Current().generation == 1);
  config.Of<anki::Settings>().max_collection_mib = 2;
  Upload(frame);
  BOOST_TEST(Current().generation == 2);
}

// --- Odd values

BOOST_AUTO_TEST_CASE(only_an_upload_with_odd_values_is_reported) {
  context.SetIdentity({user, DeviceId{77}});
  Upload(FrameOf({"plain"}));
  BOOST_TEST(Problems().empty());
  Upload(FrameOf({"one", "two", "secret"},
                 "UPDATE cards SET factor = -1; UPDATE notes SET guid = x'ff' WHERE id = 1001"));
  BOOST_REQUIRE_EQUAL(Problems().size(), 1u);
  const Problem problem = Problems()[0];
  BOOST_TEST(problem.kind == "upload");
  BOOST_TEST((problem.sender.device == DeviceId{77}));
  BOOST_TEST(problem.sender.client == "26.9.3,test,linux");
  BOOST_TEST(problem.details == R"({"adjusted":{"cards.factor":{"count":3,"ids":[101001,101002,101003]},)"
                                R"("notes.guid":{"count":1,"ids":[1001]}}})");
  // A refused upload changes nothing and is not reported.
  SetQuota(1);
  BOOST_CHECK_THROW(Upload(FrameOf({"new"}, "UPDATE cards SET factor = -1")), Error);
  BOOST_TEST(Problems().size() == 1u);
}

BOOST_AUTO_TEST_CASE(the_newest_fifty_reports_are_kept_until_the_retention_time_ends) {
  const UserId other = test.AddUser("anki-full-reports");
  const auto keep = [&](UserId owner, std::int64_t number) {
    database.Write([&](sql::Tx& tx) {
      ProblemStore(tx, owner).KeepUpload({DeviceId{1}, "v"}, {{"cards.type", {number, {}}}});
    });
  };
  keep(other, 1);
  for (std::int64_t number = 1; number <= 53; ++number) keep(user, number);
  const auto problems = Problems();
  BOOST_REQUIRE_EQUAL(problems.size(), 50u);
  BOOST_TEST(problems.front().details == R"({"adjusted":{"cards.type":{"count":53}}})");
  BOOST_TEST(problems.back().details == R"({"adjusted":{"cards.type":{"count":4}}})");
  BOOST_TEST(test.Value("SELECT count(*) FROM anki_problems WHERE user_id = " +
                        std::to_string(static_cast<std::int64_t>(other))) == "1");

  test.Run(
      "UPDATE anki_problems SET happened_at = now() - interval '31 days' WHERE problem_id % 2 = 0 AND "
      "user_id = " +
      id);
  config.Of<anki::Settings>().history_days = 30;
  tests::RunJob(Jobs(), "anki.sweep_history", context);
  context.SetIdentity({user, {}});
  BOOST_TEST(Problems().size() == 25u);
  // Problems are deleted with the account.
  test.Run("DELETE FROM users WHERE user_id = " + id);
  BOOST_TEST(test.Value("SELECT count(*) FROM anki_problems WHERE user_id = " + id) == "0");
}

BOOST_AUTO_TEST_CASE(a_refusal_that_is_repeated_is_one_report_that_counts) {
  const auto refuse = [&](std::int64_t device, const std::string& code, const std::string& why) {
    database.Write([&](sql::Tx& tx) {
      ProblemStore(tx, user).KeepRefusal({DeviceId{device}, "v"}, {"applyChunk", code, why, ""}, "");
    });
  };
  for (int i = 0; i < 1000; ++i) refuse(1, "bad_json", "attempt " + std::to_string(i));
  refuse(2, "bad_json", "another device");
  refuse(1, "missing_notetype", "note 5");
  refuse(1, "bad_json", "last");
  const auto problems = Problems();
  BOOST_REQUIRE_EQUAL(problems.size(), 3u);
  BOOST_TEST(problems[0].details == R"({"request":"applyChunk","code":"bad_json","why":"last"})");
  BOOST_TEST(problems[0].times == 1001);
  BOOST_TEST((problems[0].first_at < problems[0].happened_at));
  BOOST_TEST(problems[1].times == 1);
  BOOST_TEST((problems[2].sender.device == DeviceId{2}));
  // However many kinds: other reports are pushed out by newer ones, not by repeated ones.
  for (int i = 0; i < 60; ++i) refuse(1, "code" + std::to_string(i), "");
  for (int i = 0; i < 10; ++i) refuse(1, "code59", "");
  BOOST_TEST(Problems().size() == 50u);
  BOOST_TEST(Problems().front().times == 11);
  BOOST_TEST(Problems().back().details == R"({"request":"applyChunk","code":"code10","why":""})");
}

BOOST_AUTO_TEST_CASE(what_a_client_makes_us_quote_is_stored_short_and_printable) {
  database.Write([&](sql::Tx& tx) {
    ProblemStore(tx, user).KeepRefusal(
        {DeviceId{1}, "v"},
        {"uploadChanges", "bad_media_name", "a\x1b[2J" + std::string(500, 'y'), "\"\x1b\xc3\xa9"}, "");
  });
  BOOST_TEST(Problems().at(0).details ==
             R"({"request":"uploadChanges","code":"bad_media_name","why":"a?[2J)" + std::string(295, 'y') +
                 R"(","file":"\"\u001B)" + "\xc3\xa9\"}");
}

BOOST_AUTO_TEST_CASE(the_name_of_a_client_is_stored_as_printable_text) {
  database.Write([&](sql::Tx& tx) {
    ProblemStore(tx, user).KeepUpload({DeviceId{1}, std::string("a\0\x1b[2J\xff", 7) + std::string(500, 'x')},
                                      {});
  });
  BOOST_TEST(Problems().at(0).sender.client == "a??[2J?" + std::string(93, 'x'));
}

BOOST_AUTO_TEST_CASE(odd_values_become_rows_and_the_file_keeps_them_through_archive_and_restore) {
  Upload(FrameOf(
      {"one", "two"},
      "UPDATE cards SET factor = 70000, queue = 9, did = 'x', usn = -1; UPDATE notes SET flds = x'61ff00'"
      " WHERE id = 1001; UPDATE notes SET usn = 2147483000; UPDATE notetypes SET config = x'ff'"));
  Unstoppable control;
  ImportFile(context, 1, control);
  BOOST_TEST(
      test.Value(
          "SELECT string_agg(factor || ' ' || queue || ' ' || deck_id || ' ' || usn, ', ') FROM anki_cards"
          " WHERE user_id = " +
          id) == "65535 -1 0 0, 65535 -1 0 0");
  BOOST_TEST(test.Value("SELECT fields FROM anki_notes WHERE id = 1001 AND user_id = " + id) ==
             "a\xEF\xBF\xBD");
  BOOST_TEST(test.Value("SELECT max(usn) FROM anki_notes WHERE user_id = " + id) == "2");

  SyncNote("synced");
  Upload(FrameOf({"new"}));
  ArchiveGeneration(context, 1, kNothing);
  Restore(context, 1);
  const auto file = FetchBase(context, Current());
  const auto restored = CollectionFile::Open(file->path(), CollectionFile::Check::kFull);
  BOOST_TEST(restored.Counts().notes == 3);
  BOOST_TEST(restored.Adjusted().at("cards.factor").count == 2);
  BOOST_TEST(restored.Adjusted().at("notes.flds").count == 1);
  BOOST_TEST(restored.Adjusted().at("notetypes.config").count == 6);
  ImportFile(context, Current().generation, control);
  BOOST_TEST(
      test.Value("SELECT count(*) FROM anki_cards WHERE factor = 65535 AND generation = 3 AND user_id = " +
                 id) == "2");
}

BOOST_AUTO_TEST_CASE(a_usn_near_the_limit_restarts_and_devices_with_the_file_are_up_to_date) {
  for (const auto& [odd, is_current] : {std::pair{"UPDATE col SET usn = 2147483000", true},
                                        {"UPDATE col SET usn = 2147483647", true},
                                        {"UPDATE col SET usn = 2147483648", false},
                                        {"UPDATE col SET usn = -1", false},
                                        {"UPDATE col SET usn = 1.5", false}}) {
    BOOST_TEST_CONTEXT(odd) {
      Upload(FrameOf({"one"}, odd));
      const Collection collection = Current();
      BOOST_TEST(collection.base_usn == 1);
      // The file itself if clients can read its col row, otherwise one with a new col row.
      BOOST_TEST(collection.IsBaseCurrent() == is_current);
      BOOST_TEST(collection.SeenBy(2'147'483'000) == 1);
      BOOST_TEST(collection.SeenBy(1) == 1);
      BOOST_TEST(collection.SeenBy(0) == 0);
      BOOST_TEST(test.Value("SELECT cards_usn FROM anki_collections WHERE user_id = " + id) == "0");
    }
  }
  Upload(FrameOf({"one"}, "UPDATE col SET usn = 2000000000"));
  BOOST_TEST(Current().base_usn == 2'000'000'000);
}

BOOST_AUTO_TEST_CASE(impossible_times_are_accepted_if_clients_can_read_them) {
  Upload(
      FrameOf({"one"}, "UPDATE col SET crt = -86400, mod = 9223372036854775807, scm = 9223372036854775807"));
  const Collection collection = Current();
  BOOST_TEST(collection.meta.created_s == -86400);
  BOOST_TEST(collection.meta.mod_ms <= context.NowMs());
  BOOST_TEST(collection.IsBaseCurrent());
  // Clients compare it with the one in their file.
  BOOST_TEST(collection.meta.schema_ms == std::numeric_limits<std::int64_t>::max());
  Upload(FrameOf({"two"}, "UPDATE col SET scm = 9223372036854775807"));
  Restore(context, 1);
  BOOST_TEST(Current().meta.schema_ms <= context.NowMs());
  BOOST_CHECK_EXCEPTION(Upload(FrameOf({"x"}, "UPDATE col SET crt = 9000000000000")), FileRefused,
                        [](const FileRefused& refused) {
                          return std::string(refused.what()).find("Open Backup") != std::string::npos;
                        });
}

// --- Replaced collections

BOOST_AUTO_TEST_CASE(a_replaced_collection_becomes_one_file_with_all_synced_rows) {
  UploadAndImport({"one", "two"});
  SyncNote("synced");
  UploadAndImport({"new"});
  const std::string rows_of_the_new_one = RowsOf(2);
  BOOST_REQUIRE_EQUAL(History().size(), 1u);
  BOOST_TEST(!History()[0].is_archived);
  BOOST_TEST(RowsOf(1) != "0");

  ArchiveGeneration(context, 1, kNothing);
  BOOST_REQUIRE_EQUAL(History().size(), 1u);
  const HistoryEntry entry = History()[0];
  BOOST_TEST(entry.is_archived);
  BOOST_TEST(entry.collection.IsBaseCurrent());
  BOOST_TEST(entry.collection.counts.notes == 3);
  BOOST_TEST(NotesInFileOf(entry.collection) == (Texts{"one", "two", "synced"}),
             boost::test_tools::per_element());
  BOOST_TEST(RowsOf(1) == "0");
  // Other rows are unchanged, and the usage is that of the two remaining files.
  BOOST_TEST(RowsOf(2) == rows_of_the_new_one);
  BOOST_TEST(NotesInFileOf(Current()) == Texts{"new"}, boost::test_tools::per_element());
  BOOST_TEST(test.Value("SELECT count(*) FROM blob_refs WHERE user_id = " + id) == "2");
  BOOST_TEST(test.Value("SELECT sum(size_bytes) FROM blob_refs WHERE user_id = " + id) ==
             std::to_string(UsedBytes()));
}

BOOST_AUTO_TEST_CASE(an_interrupted_archive_is_finished_by_the_next_attempt) {
  UploadAndImport({"one"});
  SyncNote("synced");
  Upload(FrameOf({"new"}));
  BOOST_CHECK_THROW(ArchiveGeneration(context, 1, [] { throw JobStopped("the worker leaves"); }), JobStopped);
  // The file exists, the rows are not deleted yet.
  const HistoryEntry stopped = History().at(0);
  BOOST_TEST(stopped.is_archived);
  BOOST_TEST(RowsOf(1) != "0");
  ArchiveGeneration(context, 1, kNothing);
  BOOST_TEST(RowsOf(1) == "0");
  BOOST_TEST((History().at(0).collection.base_blob == stopped.collection.base_blob));
  // A later attempt has nothing to do, nor one for an unknown generation.
  ArchiveGeneration(context, 1, kNothing);
  ArchiveGeneration(context, 77, kNothing);
  BOOST_TEST(NotesInFileOf(History().at(0).collection) == (Texts{"one", "synced"}),
             boost::test_tools::per_element());
}

// An archive replaces data the account already holds: if it needed free quota, a full account would keep its
// rows forever.
BOOST_AUTO_TEST_CASE(an_account_over_its_quota_is_archived_anyway) {
  UploadAndImport({"one"});
  SyncNote("synced");
  Upload(FrameOf({"new"}));
  SetQuota(1);
  BOOST_CHECK_EXCEPTION(Upload(FrameOf({"newer"})), Error,
                        [](const Error& error) { return error.code() == "over_quota"; });
  ArchiveGeneration(context, 1, kNothing);
  BOOST_TEST(History().at(0).is_archived);
  BOOST_TEST(RowsOf(1) == "0");
  BOOST_TEST(NotesInFileOf(History().at(0).collection) == (Texts{"one", "synced"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_upload_past_the_quota_is_not_even_read_and_leaves_nothing) {
  UploadAndImport({"one"});
  const auto blobs = [&] {
    return test.Value("SELECT count(*) || ' blobs, ' || (SELECT count(*) FROM blob_reservations) FROM blobs");
  };
  const std::string before = blobs();
  struct Untouchable : BodySource {
    std::size_t Read(char*, std::size_t) override { throw std::logic_error("the body was read"); }
  } body;
  const auto is_full = [](const Error& error) { return error.code() == "over_quota"; };
  SetQuota(UsedBytes() + 1000);
  BOOST_CHECK_EXCEPTION(ReceiveUpload(context, body, UploadForm::kFrame, 1001, "test"), Error, is_full);
  // Its length was not known, or a lie: refused while it is stored.
  std::string noise;
  for (unsigned state = 1; noise.size() < 3'000'000;) {
    noise += static_cast<char>('a' + (state = state * 1664525 + 1013904223) % 7919 % 26);
  }
  BOOST_CHECK_EXCEPTION(Upload(FrameOf({noise})), Error, is_full);
  BOOST_TEST(blobs() == before);
  BOOST_TEST(Current().generation == 1);
}

BOOST_AUTO_TEST_CASE(the_rows_of_an_upload_count_and_their_texts_once_they_are_imported) {
  const auto bytes = [&] {
    return std::stoll(test.Value("SELECT sum(bytes) FROM account_bytes WHERE user_id = " + id));
  };
  const std::string text(300'000, 'x');  // hardly any bytes in the file
  Upload(FrameOf({text}));
  const auto before = bytes();
  BOOST_TEST(before > UsedBytes() + 300);
  BOOST_TEST(before < UsedBytes() + 20'000);
  Unstoppable control;
  ImportFile(context, 1, control);
  context.Write<CheckStore>([](CheckStore& store) { store.CountContent(); });
  BOOST_TEST(bytes() > before + 300'000);
  // An upload whose texts would not fit is refused at once.
  SetQuota(bytes() + 200'000);
  BOOST_CHECK_EXCEPTION(Upload(FrameOf({text, text})), Error,
                        [](const Error& error) { return error.code() == "over_quota"; });
  BOOST_TEST(Current().generation == 1);
  BOOST_TEST(context.Read<CheckStore>([](CheckStore& store) { return store.ContentFindings(); }).empty());
  // With a quota, what its notetypes and decks take counts at once, too.
  Upload(FrameOf({"short"}));
  BOOST_TEST(bytes() > before);
  BOOST_TEST(bytes() < before + 30'000);
}

BOOST_AUTO_TEST_CASE(while_the_disk_is_nearly_full_uploads_are_refused_and_imports_wait) {
  const auto is_full = [](const Error& error) { return error.code() == "disk_full"; };
  Upload(FrameOf({"one"}));
  config.disk_reserve_mib = 1 << 30;
  struct Untouchable : BodySource {
    std::size_t Read(char*, std::size_t) override { throw std::logic_error("the body was read"); }
  } body;
  BOOST_CHECK_EXCEPTION(ReceiveUpload(context, body, UploadForm::kFrame, 1, "test"), Error, is_full);
  Unstoppable control;
  BOOST_CHECK_EXCEPTION(ImportFile(context, 1, control), Error, is_full);
  BOOST_TEST(Current().generation == 1);
  // Downloads go on.
  BOOST_TEST(NotesInFileOf(Current()) == Texts{"one"}, boost::test_tools::per_element());
  config.disk_reserve_mib = 1;
  ImportFile(context, 1, control);
  BOOST_TEST(RowsOf(1) != "0");
  // A folder that cannot be found is not watched.
  config.database_disk = "/no/such/folder";
  Upload(FrameOf({"two"}));
}

// A step of the import does not wait for its commit. One that fails is noticed by the next step and done again; one that
// always fails ends the attempt.
BOOST_AUTO_TEST_CASE(a_lost_step_of_an_import_is_repeated) {
  const auto fail = [&](const std::string& condition) {
    test.Run(
        "CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF " +
        condition +
        " THEN RAISE 'lost'; END IF; RETURN new; END $$;"
        " CREATE OR REPLACE TRIGGER fail BEFORE INSERT ON anki_notes FOR EACH ROW EXECUTE FUNCTION fail()");
  };
  test.Run("DROP SEQUENCE IF EXISTS failures; CREATE SEQUENCE failures");
  const auto run_import = [&] {
    Unstoppable control;
    ImportFile(context, Current().generation, control);
  };
  fail("nextval('failures') = 1");
  Upload(FrameOf({"one", "two", "three"}));
  run_import();
  BOOST_TEST(Current().IsImported());
  BOOST_TEST(test.Value("SELECT count(*) FROM anki_notes WHERE user_id = " + id) == "3");
  BOOST_TEST(std::stoi(test.Value("SELECT last_value FROM failures")) > 3);
  fail("true");
  Upload(FrameOf({"four"}));
  BOOST_CHECK_THROW(run_import(), std::exception);
  BOOST_TEST(!Current().IsImported());
  test.Run("DROP TRIGGER fail ON anki_notes; DROP FUNCTION fail; DROP SEQUENCE failures");
  run_import();
  BOOST_TEST(Current().IsImported());
}

BOOST_AUTO_TEST_CASE(a_restored_collection_is_the_current_one_and_every_client_is_asked_to_download) {
  UploadAndImport({"one"});
  SyncNote("synced");
  Upload(FrameOf({"new"}));
  const Collection replaced = Current();
  BOOST_CHECK_EXCEPTION(Restore(context, 77), Error,
                        [](const Error& error) { return error.code() == "no_such_generation"; });
  BOOST_TEST(Current().generation == 2);

  Restore(context, 1);  // not archived yet: archives it first
  const Collection current = Current();
  BOOST_TEST(current.generation == 3);
  BOOST_TEST(NotesInFileOf(current) == (Texts{"one", "synced"}), boost::test_tools::per_element());
  BOOST_TEST(current.counts.notes == 2);
  BOOST_TEST(current.meta.schema_ms > replaced.meta.schema_ms);
  BOOST_TEST(current.meta.mod_ms > replaced.meta.mod_ms);
  // Greater than both others: no client has seen anything of this collection.
  BOOST_TEST(current.meta.usn > replaced.meta.usn);
  BOOST_TEST(current.meta.usn > History().at(1).collection.meta.usn);
  BOOST_TEST(History().at(0).collection.generation == 2);
  BOOST_TEST(History().at(1).collection.generation == 1);
  Unstoppable control;
  ImportFile(context, 3, control);
  BOOST_TEST(test.Value("SELECT count(*) FROM anki_notes WHERE generation = 3 AND user_id = " + id) == "2");
}

BOOST_AUTO_TEST_CASE(the_history_of_another_account_is_not_accessible) {
  UploadAndImport({"one"});
  Upload(FrameOf({"new"}));
  Context stranger(config, database, redis, "test");
  stranger.SetIdentity({test.AddUser("anki-full-stranger"), {}});
  BOOST_CHECK_EXCEPTION(Restore(stranger, 1), Error,
                        [](const Error& error) { return error.code() == "no_such_generation"; });
  ArchiveGeneration(stranger, 1, kNothing);
  BOOST_TEST(!History().at(0).is_archived);
  BOOST_TEST(RowsOf(1) != "0");
}

BOOST_AUTO_TEST_SUITE_END()
