// Imports of packages against PostgreSQL: all or nothing, beside devices that sync, within the quota.
#include <boost/test/unit_test.hpp>
#include <functional>
#include <map>

#include "handlers/anki/collection/check_flow.h"
#include "handlers/anki/collection/session_store.h"
#include "handlers/anki/file/file_wire.h"
#include "handlers/anki/file/full_sync_store.h"
#include "handlers/anki/jobs.h"
#include "handlers/anki/package/export_flow.h"
#include "handlers/anki/package/import_flow.h"
#include "handlers/base/errors.h"
#include "handlers/base/sha256.h"
#include "sql/database.h"
#include "tests/support/inputs.h"
#include "tests/support/jobs.h"
#include "tests/support/test_database.h"

using namespace syncline;
using namespace syncline::anki;
using tests::Sha1Of;
using tests::StringSink;
using tests::TestDatabase;

namespace {

constexpr CollectionMeta kMeta{.created_s = 1'700'000'000,
                               .mod_ms = 1'700'000'001'000,
                               .schema_ms = 1'700'000'000'000,
                               .last_sync_ms = 0,
                               .usn = 3};

struct Stop {};

struct Fixture {
  TestDatabase& test = TestDatabase::Instance();
  sql::Database database{test.settings()};
  Config config = test.config();
  UserId user;
  std::string id;  // the user's, for queries
  Redis redis{config.redis_url};
  Context context{config, database, redis, "test"};
  TempFile package{"/tmp"};
  int commits = 0;
  std::function<void(std::string_view step)> on_step = [](std::string_view) {};

  Fixture() {
    static int users = 0;
    config.temp_dir = "/tmp";
    user = test.AddUser("anki-import-" + std::to_string(++users));
    id = std::to_string(static_cast<std::int64_t>(user));
    context.SetIdentity({user, {}});
  }

  // A package with these notes (first field, guid), each with a card and a review.
  void Pack(const std::vector<std::string>& notes, const std::map<std::string, std::string>& media = {},
            std::int64_t mod = 50) {
    const TempFile file("/tmp");
    CreateEmptyCollection(file.path(), kMeta);
    CollectionFileWriter writer(file.path());
    std::int64_t next = 1000;
    for (const std::string& text : notes) {
      ++next;
      writer.PutNote({next, "guid " + text.substr(0, 1), kMeta.schema_ms, mod, 0, " tag ", text + "\x1f"});
      Card card{};
      card.id = next + 100'000;
      card.note_id = next;
      card.deck_id = 1;
      card.type = card.queue = 2;
      card.due = 5;
      writer.PutCard(card);
      writer.PutReview({.id = next + 200'000,
                        .card_id = card.id,
                        .usn = 0,
                        .ease = 3,
                        .interval = 1,
                        .last_interval = 1,
                        .factor = 2500,
                        .taken_ms = 10,
                        .type = 1});
    }
    writer.SetMeta(kMeta);
    writer.Finish();
    StringSink out;
    PackageWriter zip(out, PackageVersion::kLatest);
    zip.Collection([&](BodySink& sink) { file.ReadAll(sink); });
    for (const auto& file : media) {
      const std::string& content = file.second;
      zip.Media(file.first, Sha1Of(content), content.size(), [&](BodySink& sink) { sink.Write(content); });
    }
    zip.Finish();
    package.Write(out.text);
  }

  ImportHost Host() {
    return {.name = "test",
            .progress = [&](std::int64_t, std::int64_t, std::string_view step) { on_step(step); },
            .commit = [&](sql::Tx&, const ImportReport&) { ++commits; }};
  }
  ImportReport Import(const ImportOptions& options = {.with_scheduling = true}) {
    return ImportPackage(context, package, PackageKind::kApkg, options, Host());
  }
  std::string Value(const std::string& column) {
    return test.Value("SELECT " + column + " FROM anki_collections WHERE user_id = " + id);
  }
  std::string Count(const std::string& from) {
    return test.Value("SELECT count(*) FROM " + from +
                      (from.find("WHERE") == std::string::npos ? " WHERE " : " AND ") + "user_id = " + id);
  }
  // A device that begins a sync.
  void StartSync(const std::string& key) {
    context.Write<SessionStore>([&](SessionStore& sessions) {
      const auto found = sessions.EndAndFind(kAnySize);
      sessions.Start(found.value().first, key, {0, true, {}}, std::nullopt, 10);
    });
  }
  void ExpectNothingStaged() {
    for (const char* table : {"cards", "notes", "revlog", "objects", "tags"}) {
      BOOST_TEST(Count("anki_staged_" + std::string(table)) == "0");
    }
    BOOST_TEST(Count("anki_sessions") == "0");
  }
  std::vector<std::string> Findings() {
    tests::Unstoppable control;
    return CheckCollection(context, control);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(anki_import, Fixture)

BOOST_AUTO_TEST_CASE(an_import_is_one_change_of_the_collection_and_repeating_it_is_none) {
  Pack({"a", "b", "c"});
  const ImportReport first = Import();
  BOOST_TEST(first.added_notes == 3);
  BOOST_TEST(first.added_cards == 3);
  BOOST_TEST(first.added_reviews == 3);
  BOOST_TEST(first.added_tags == 1);
  BOOST_TEST(commits == 1);
  const std::string usn = Value("usn"), mod = Value("mod_ms"), schema = Value("schema_ms");
  BOOST_TEST(usn == "1");
  BOOST_TEST(Value("notes") == "3");
  BOOST_TEST(Value("revlog") == "3");
  BOOST_TEST(Count("anki_notes WHERE usn = 0 AND tags = ' tag '") == "3");
  BOOST_TEST(test.Value("SELECT sum(cardinality(ids)) FROM anki_changed WHERE user_id = " + id) == "9");
  ExpectNothingStaged();
  BOOST_TEST(Findings().empty());
  const ImportReport second = Import();
  BOOST_TEST(second.duplicate_notes == 3);
  BOOST_TEST(second.added_notes + second.added_cards + second.added_reviews == 0);
  BOOST_TEST(commits == 2);
  BOOST_TEST(Value("usn") == usn);
  BOOST_TEST(Value("mod_ms") == mod);
  BOOST_TEST(Value("schema_ms") == schema);
}

BOOST_AUTO_TEST_CASE(an_import_does_not_disturb_a_device_that_is_syncing) {
  Pack({"a"});
  Import();
  StartSync("device");
  BOOST_CHECK_THROW(Import(), ImportPutOff);
  BOOST_CHECK_THROW(ImportPackage(context, package, PackageKind::kColpkg, {}, Host()), ImportPutOff);
  BOOST_TEST(test.Value("SELECT session_key FROM anki_sessions WHERE user_id = " + id) == "device");
  BOOST_TEST(commits == 1);
}

// The device is not disturbed either, and the import goes on once the device has ended.
BOOST_AUTO_TEST_CASE(a_device_that_begins_a_sync_ends_the_import_which_begins_again) {
  Pack({"a", "b"});
  int attempts = 0;
  on_step = [&](std::string_view step) {
    if (step != "storing" || ++attempts > 1) return;
    StartSync("device");
  };
  BOOST_CHECK_THROW(Import(), ImportPutOff);
  BOOST_TEST(attempts == 1);
  BOOST_TEST(Count("anki_notes") == "0");
  BOOST_TEST(commits == 0);
  BOOST_TEST(test.Value("SELECT session_key FROM anki_sessions WHERE user_id = " + id) == "device");
  context.Write<SessionStore>([](SessionStore& sessions) { sessions.End(); });
  BOOST_TEST(Import().added_notes == 2);
  ExpectNothingStaged();
}

BOOST_AUTO_TEST_CASE(what_a_sync_has_changed_since_the_comparison_is_compared_again) {
  Pack({"a", "b"});
  Import();
  test.Run("UPDATE anki_notes SET mod = 1 WHERE user_id = " + id);
  int attempts = 0;
  on_step = [&](std::string_view step) {
    if (step != "storing" || ++attempts > 1) return;
    // A device has finished a sync: its session is gone, and so is the import's.
    test.Run("DELETE FROM anki_sessions WHERE user_id = " + id +
             "; UPDATE anki_collections SET usn = usn + 1 WHERE user_id = " + id +
             "; UPDATE anki_notes SET mod = 999 WHERE guid = 'guid a' AND user_id = " + id);
  };
  const ImportReport report = Import();
  BOOST_TEST(attempts == 2);
  BOOST_TEST(report.updated_notes == 1);
  BOOST_TEST(report.duplicate_notes == 1);
  BOOST_TEST(Count("anki_notes WHERE mod = 999") == "1");
}

BOOST_AUTO_TEST_CASE(an_import_that_is_stopped_at_any_step_leaves_nothing) {
  Pack({"a", "b"}, {{"_x.png", "picture"}});
  std::vector<std::string> steps;
  on_step = [&](std::string_view step) { steps.emplace_back(step); };
  Import();
  BOOST_REQUIRE(steps.size() >= 4);
  for (std::size_t at = 0; at < steps.size(); ++at) {
    Fixture other;
    other.package.Write([&] {
      StringSink all;
      package.ReadAll(all);
      return all.text;
    }());
    std::size_t seen = 0;
    other.on_step = [&](std::string_view step) {
      if (seen++ == at && step != "done") throw Stop{};
    };
    if (steps[at] == "done") continue;
    BOOST_TEST_CONTEXT(steps[at]) {
      BOOST_CHECK_THROW(other.Import(), Stop);
      BOOST_TEST(other.Count("anki_notes") == "0");
      BOOST_TEST(other.Count("anki_media_files") == "0");
      BOOST_TEST(other.commits == 0);
      other.ExpectNothingStaged();
      other.on_step = [](std::string_view) {};
      BOOST_TEST(other.Import().added_notes == 2);
      BOOST_TEST(other.Count("anki_media_files") == "1");
    }
  }
}

// As if the process had been killed: its session is there, and it is ours.
BOOST_AUTO_TEST_CASE(a_killed_attempt_is_followed_by_another_one_at_once) {
  Pack({"a"});
  Import();
  test.Run("UPDATE anki_notes SET mod = 1 WHERE user_id = " + id);
  StartSync("import-test.killed");
  BOOST_TEST(Import().updated_notes == 1);
  ExpectNothingStaged();
}

BOOST_AUTO_TEST_CASE(an_import_past_the_quota_is_refused_and_leaves_nothing) {
  Pack({"a " + std::string(100'000, 'x')}, {{"_x.png", std::string(50'000, 'p')}});
  const auto is_full = [](const Error& error) { return error.code() == "over_quota"; };
  for (const int quota : {20'000, 100'000, 140'000}) {
    BOOST_TEST_CONTEXT(quota) {
      test.Run("UPDATE users SET quota_bytes = " + std::to_string(quota) + " WHERE user_id = " + id);
      BOOST_CHECK_EXCEPTION(Import(), Error, is_full);
      BOOST_TEST(Count("anki_notes") == "0");
      BOOST_TEST(Count("anki_media_files") == "0");
      ExpectNothingStaged();
    }
  }
  test.Run("UPDATE users SET quota_bytes = 400000 WHERE user_id = " + id);
  BOOST_TEST(Import().added_notes == 1);
}

BOOST_AUTO_TEST_CASE(media_are_added_once_and_only_if_they_are_needed) {
  Pack({"a <img src=a.png>", "b"},
       {{"a.png", "picture"}, {"b.png", "unused"}, {"_c.css", "style"}, {"d.png", ""}});
  const ImportReport report = Import();
  BOOST_TEST(report.media.found == 4);
  BOOST_TEST(report.media.added == 2);
  BOOST_TEST(report.media.unused == 2);
  BOOST_TEST(test.Value("SELECT string_agg(name, ' ' ORDER BY name) FROM anki_media_files WHERE user_id = " +
                        id) == "_c.css a.png");
  BOOST_TEST(test.Value("SELECT last_usn FROM anki_media WHERE user_id = " + id) == "2");
  BOOST_TEST(Import().media.added == 0);
  BOOST_TEST(test.Value("SELECT last_usn FROM anki_media WHERE user_id = " + id) == "2");
}

// A device has added another file of that name while the package was read.
BOOST_AUTO_TEST_CASE(a_file_that_a_device_adds_meanwhile_is_never_overwritten) {
  Pack({"a <img src=a.png>"}, {{"a.png", "theirs"}});
  int attempts = 0;
  on_step = [&](std::string_view step) {
    if (step != "storing" || ++attempts > 1) return;
    context.Write<MediaStore, Transaction>([&](MediaStore& media, Transaction& transaction) {
      const std::vector<SentMedia> sent{{"a.png", MediaContent{Sha1Of("ours"), 4, 0}}};
      const LockedMedia locked = media.Lock({"a.png"});
      BlobRefs refs(transaction.tx, user);
      const auto blobs = refs.Store(kMediaService, {Sha256("ours")}, {"ours"});
      media.Apply(sent, DecideMedia(sent, locked.known, locked.last_usn), {{0, blobs[0]}}, DeviceId{1}, refs);
    });
  };
  const ImportReport report = Import();
  BOOST_TEST(attempts == 2);
  BOOST_TEST(report.media.renamed == 1);
  BOOST_TEST(Count("anki_media_files") == "2");
  BOOST_TEST(
      test.Value("SELECT encode(sha1, 'hex') FROM anki_media_files WHERE name = 'a.png' AND user_id = " +
                 id) == HexText(Sha1Of("ours")));
  BOOST_TEST(Count("anki_notes WHERE fields LIKE 'a <img src=a-%.png>%'") == "1");
}

BOOST_AUTO_TEST_CASE(an_import_waits_until_an_upload_has_become_rows) {
  Pack({"a"});
  Import();
  test.Run("UPDATE anki_collections SET import_step = 1 WHERE user_id = " + id);
  BOOST_CHECK_THROW(Import(), ImportPutOff);
}

BOOST_AUTO_TEST_CASE(a_received_package_is_kept_until_its_import_has_ended) {
  Pack({"a"});
  TempFileSource source(package);
  const JobId job = ReceivePackage(context, source, package.Size(), PackageKind::kApkg, "deck.apkg",
                                   {.with_scheduling = true});
  const auto find = [&] {
    return context.Read<ImportStore>([&](ImportStore& imports) { return imports.Find(job).value(); });
  };
  BOOST_TEST(find().state == "pending");
  BOOST_TEST(find().file_name.value() == "deck.apkg");
  BOOST_TEST(ParseImportOptions(find().options).with_scheduling);
  BOOST_TEST(test.Value("SELECT bytes FROM usage WHERE service = 'anki' AND user_id = " + id) ==
             std::to_string(package.Size()));
  const auto end = [&](bool is_done) {
    context.Write<ImportStore>([&](ImportStore& imports) {
      is_done ? imports.Done(job, "{}") : imports.Failed(job, "package_damaged", "It is damaged.");
    });
  };
  end(true);
  end(false);  // changes nothing
  BOOST_TEST(find().state == "done");
  BOOST_TEST(!find().package.has_value());
  BOOST_TEST(test.Value("SELECT coalesce(sum(bytes), 0) FROM usage WHERE service = 'anki' AND user_id = " +
                        id) == "0");
  context.Write<ImportStore>([&](ImportStore& imports) { imports.Delete(job); });
  BOOST_TEST(Count("anki_imports") == "0");
}

BOOST_AUTO_TEST_CASE(imports_of_other_accounts_do_not_exist) {
  Pack({"a"});
  TempFileSource source(package);
  const JobId job = ReceivePackage(context, source, std::nullopt, PackageKind::kApkg, std::nullopt, {});
  Fixture other;
  BOOST_TEST(
      !other.context.Read<ImportStore>([&](ImportStore& imports) { return imports.Find(job); }).has_value());
}

BOOST_AUTO_TEST_CASE(what_is_exported_can_be_imported) {
  Pack({"a <img src=a.png>", "b"}, {{"a.png", "picture"}});
  Import();
  for (const bool legacy : {false, true}) {
    StringSink out;
    ExportOptions options;
    options.deck = "Default";
    options.with_scheduling = true;
    options.legacy = legacy;
    Export(context, options).Write(out);
    Fixture other;
    other.package.Write(out.text);
    const ImportReport report = other.Import();
    BOOST_TEST(report.added_notes == 2);
    BOOST_TEST(report.added_reviews == 2);
    BOOST_TEST(report.media.added == 1);
  }
  ExportOptions nowhere;
  nowhere.deck = "nowhere";
  BOOST_CHECK_EXCEPTION(Export(context, nowhere), Error,
                        [](const Error& e) { return e.code() == "no_such_deck"; });
}

BOOST_AUTO_TEST_SUITE_END()
