// Collection files: those we write can be read; hostile or damaged ones are refused with a sentence.
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "handlers/anki/file/field_text_wire.h"
#include "handlers/anki/file/file_wire.h"
#include "handlers/anki/objects/unicase_wire.h"
#include "tests/support/linear_time.h"

using namespace syncline;
using namespace syncline::anki;

namespace {

constexpr auto kStart = std::numeric_limits<std::int64_t>::min();
constexpr CollectionMeta kMeta{1'700'000'000, 1'700'000'001'000, 1'700'000'000'000, 0, 3};

// A temporary folder for one collection, removed at the end.
struct Folder {
  Folder() {
    std::string name = "/tmp/collection_file_test.XXXXXX";
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder = name;
    path = name + "/collection.anki2";
  }
  ~Folder() { std::filesystem::remove_all(folder); }
  std::string folder, path;
};

struct Collection : Folder {
  Collection() { CreateEmptyCollection(path, kMeta); }

  void Sql(const std::string& sql) const {
    sqlite3* db = nullptr;
    BOOST_REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
    RegisterUnicase(db);
    char* error = nullptr;
    sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &error);
    BOOST_REQUIRE_MESSAGE(error == nullptr, sql << ": " << (error != nullptr ? error : ""));
    sqlite3_close(db);
  }
  std::string Value(const std::string& sql) const {
    sqlite3* db = nullptr;
    sqlite3_stmt* statement = nullptr;
    BOOST_REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
    RegisterUnicase(db);
    BOOST_REQUIRE_MESSAGE(sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK, sql);
    std::string value;
    if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0) != nullptr)
      value = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
  }
  // Changes the schema in ways that plain SQL does not allow.
  void Schema(const std::string& sql) const { Sql("PRAGMA writable_schema = ON; " + sql); }
  void Poke(std::int64_t at, const std::string& bytes) const {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  CollectionFile Open() const { return CollectionFile::Open(path, CollectionFile::Check::kFull); }
  // The sentence a user gets, or "" if the file is accepted.
  std::string Refusal() const {
    try {
      Open();
      return "";
    } catch (const FileRefused& refused) {
      return refused.what();
    }
  }
  bool Refused() const { return !Refusal().empty(); }
};

const char kCard[] = "INSERT INTO cards VALUES (1, 1, 1, 0, 5, 0, 0, 0, 1, 0, 2500, 0, 0, 0, 0, 0, 0, '{}')";
const char kNote[] =
    "INSERT INTO notes VALUES (1, 'guid', 1700000000000, 5, 0, '', 'a' || char(31) || 'b', 'a', 1, 0, '')";
const char kReview[] = "INSERT INTO revlog VALUES (1, 1, 0, 3, 10, 5, 2500, 1000, 1)";

Note MakeNote(std::int64_t id, const std::string& first) {
  return {id,
          "guid" + std::to_string(id),
          kMeta.schema_ms,
          5,
          2,
          " tag ",
          first +
              "\x1f"
              "back"};
}

Card MakeCard(std::int64_t id) {
  return {id,  id,           1, 0, 5, 2, 2, 2, 100, 4'294'967'295, 2500, 4'294'967'295, 2, 1001, -5, 7,
          255, "{\"s\":1.0}"};
}

Review MakeReview(std::int64_t id) {
  return {id, id % 1000 + 1, 2, 3, -600, 10, 4'294'967'295, 4'294'967'295, 5};
}

void Fill(const std::string& path, std::int64_t notes, std::int64_t reviews) {
  CollectionFileWriter writer(path);
  for (std::int64_t id = 1; id <= notes; ++id) writer.PutNote(MakeNote(id, "note " + std::to_string(id)));
  for (std::int64_t id = 1; id <= notes; ++id) writer.PutCard(MakeCard(id));
  for (std::int64_t id = 1; id <= reviews; ++id) writer.PutReview(MakeReview(id));
  writer.Finish();
}

const Object* Find(const std::vector<Object>& objects, const std::string& name) {
  for (const auto& object : objects)
    if (object.name == name) return &object;
  return nullptr;
}

std::string Deck(std::int64_t id, const std::string& name) {
  return R"({"id":)" + std::to_string(id) + R"(,"mod":9,"name":")" + name +
         R"(","usn":4,"lrnToday":[0,0],"revToday":[0,0],"newToday":[0,0],"timeToday":[0,0],"collapsed":true,)"
         R"("browserCollapsed":true,"desc":"","dyn":0,"conf":1,"extendNew":0,"extendRev":0,"reviewLimit":null,)"
         R"("newLimit":null,"reviewLimitToday":null,"newLimitToday":null,"desiredRetention":null})";
}

Object DeckObject(std::int64_t id, const std::string& name) {
  return {id, name, 9, 4, Deck(id, name)};
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(an_empty_collection_is_valid_and_complete, Collection) {
  const auto file = Open();
  BOOST_TEST(file.SchemaVersion() == 18);
  BOOST_TEST(!file.IsWal());
  BOOST_TEST(file.Meta().created_s == kMeta.created_s);
  BOOST_TEST(file.Meta().mod_ms == kMeta.mod_ms);
  BOOST_TEST(file.Meta().schema_ms == kMeta.schema_ms);
  BOOST_TEST(file.Meta().usn == kMeta.usn);
  BOOST_TEST(file.Counts().notetypes == 6);
  BOOST_TEST(file.Counts().decks == 1);
  BOOST_TEST(file.Counts().deck_configs == 1);
  BOOST_TEST(file.Counts().cards == 0);
  BOOST_TEST(file.MaxUsn() == 0);
  const auto objects = file.ReadSmallObjects();
  BOOST_TEST(Find(objects.notetypes, "Cloze") != nullptr);
  BOOST_TEST(objects.config_json.find("\"curModel\":1700000000000") != std::string::npos);
  BOOST_CHECK_THROW(CreateEmptyCollection(path, kMeta), std::runtime_error);
}

BOOST_FIXTURE_TEST_CASE(rows_are_read_as_they_were_written, Collection) {
  Fill(path, 3, 2000);
  const auto file = Open();
  BOOST_TEST(file.Counts().notes == 3);
  BOOST_TEST(file.Counts().cards == 3);
  BOOST_TEST(file.Counts().revlog == 2000);
  BOOST_TEST(file.MaxUsn() == 2);
  std::vector<Note> notes;
  BOOST_TEST(file.EachNote(kStart, 10, [&](const Note& note) { notes.push_back(note); }) == 3);
  BOOST_REQUIRE(notes.size() == 3u);
  BOOST_TEST(notes[1].guid == "guid2");
  BOOST_TEST(notes[1].fields ==
             "note 2\x1f"
             "back");
  BOOST_TEST(notes[1].tags == " tag ");
  file.EachCard(1, 1, [&](const Card& card) {
    BOOST_TEST(card.id == 2);
    BOOST_TEST(card.interval == 4'294'967'295);
    BOOST_TEST(card.reps == 4'294'967'295);
    BOOST_TEST(card.original_due == -5);
    BOOST_TEST(card.flags == 255);
    BOOST_TEST(card.data == "{\"s\":1.0}");
  });
  std::int64_t seen = 0, after = 0;
  for (;;) {
    const auto last = file.EachReview(after, 300, [&](const Review& review) {
      BOOST_TEST(review.id == ++seen);
      BOOST_TEST(review.interval == -600);
    });
    if (last == after) break;
    after = last;
  }
  BOOST_TEST(seen == 2000);
  BOOST_TEST((file.ReviewIds(1, 3) == std::vector<std::int64_t>{2, 3, 4}));
  BOOST_TEST((file.ExistingCards({4, 3}) == std::vector<std::int64_t>{3}));
  BOOST_TEST(file.ExistingNotes({}).empty());
}

BOOST_FIXTURE_TEST_CASE(sort_fields_and_checksums_are_computed, Collection) {
  CollectionFileWriter writer(path);
  writer.PutNote(MakeNote(1, "<b>abc</b>"));
  writer.PutNote(MakeNote(2, "007"));
  auto unknown = MakeNote(3, "x");
  unknown.notetype_id = 12345;
  writer.PutNote(unknown);
  writer.Finish();
  BOOST_TEST(Value("SELECT sfld FROM notes WHERE id = 1") == "abc");
  BOOST_TEST(Value("SELECT csum FROM notes WHERE id = 1") == std::to_string(FieldChecksum("abc")));
  BOOST_TEST(Value("SELECT typeof(sfld) || sfld FROM notes WHERE id = 2") == "integer7");
  BOOST_TEST(Value("SELECT sfld FROM notes WHERE id = 3") == "x");
}

BOOST_FIXTURE_TEST_CASE(columns_outside_the_sync_protocol_are_kept, Collection) {
  Sql("INSERT INTO notes VALUES (1, 'g', 1, 5, 0, '', 'a', 'a', 1, 77, 'mine')");
  Sql("INSERT INTO tags VALUES ('Keep', 1, 0, NULL)");
  Sql("UPDATE config SET usn = 5, mtime_secs = 6");
  CollectionFileWriter writer(path);
  writer.PutNote(MakeNote(1, "new"));
  writer.PutTags({{"KEEP", 9}, {"other", 9}});
  writer.PutConfig(R"({"curDeck":1,"nextPos":2,"added":[1.0]})");
  writer.Finish();
  BOOST_TEST(Value("SELECT flags || data || sfld FROM notes") == "77minenew");
  BOOST_TEST(Value("SELECT group_concat(tag || usn || collapsed) FROM tags") == "Keep10,other91");
  BOOST_TEST(Value("SELECT group_concat(KEY || usn || mtime_secs || CAST(val AS text)) FROM config") ==
             "added00[1.0],curDeck561,nextPos002");
  BOOST_TEST(Refusal() == "");
}

BOOST_FIXTURE_TEST_CASE(nothing_is_changed_without_finish, Collection) {
  {
    CollectionFileWriter writer(path);
    writer.PutNote(MakeNote(1, "a"));
    writer.PutDecks({DeckObject(1, "Renamed")});
    writer.SetMeta({1, 2, 3, 4, 5});
  }
  BOOST_TEST(Open().Counts().notes == 0);
  BOOST_TEST(Open().Meta().usn == kMeta.usn);
  BOOST_TEST(Find(Open().ReadSmallObjects().decks, "Default") != nullptr);
  BOOST_TEST(!std::filesystem::exists(path + "-journal"));
}

BOOST_FIXTURE_TEST_CASE(graves_replace_their_objects, Collection) {
  for (const int version : {18, 11}) {
    if (version == 11) DowngradeToSchema11(path);
    Fill(path, 2, 1);
    {
      CollectionFileWriter writer(path);
      writer.PutDecks({DeckObject(77, "Gone"), DeckObject(78, "Stays")});
      writer.Bury({GraveKind::kCard, 1, 5});
      writer.Bury({GraveKind::kNote, 2, 6});
      writer.Bury({GraveKind::kDeck, 77, 7});
      writer.Bury({GraveKind::kDeck, 77, 8});
      writer.Bury({GraveKind::kCard, 999, 9});
      writer.Finish();
    }
    const auto file = Open();
    BOOST_TEST(file.Counts().cards == 1);
    BOOST_TEST(file.Counts().notes == 1);
    BOOST_TEST(file.Counts().decks == 2);
    BOOST_TEST(file.ReadGraves().size() == 4u);
    BOOST_TEST(file.MaxUsn() == 9);
    for (const auto& grave : file.ReadGraves())
      if (grave.kind == GraveKind::kDeck) BOOST_TEST(grave.usn == 8);
  }
}

BOOST_FIXTURE_TEST_CASE(buried_cards_return_to_the_queue_of_their_type, Collection) {
  CollectionFileWriter writer(path);
  std::int64_t id = 0;
  for (const auto& [type, queue, due] : std::vector<std::tuple<int, int, int>>{{0, -2, 5},
                                                                               {1, -3, 1'700'000'000},
                                                                               {1, -2, 900},
                                                                               {2, -3, 900},
                                                                               {3, -2, 1'700'000'000},
                                                                               {2, -1, 900}}) {
    auto card = MakeCard(++id);
    card.type = type;
    card.queue = queue;
    card.due = due;
    writer.PutCard(card);
  }
  writer.Unbury();
  writer.Finish();
  BOOST_TEST(Value("SELECT group_concat(queue) FROM (SELECT queue FROM cards ORDER BY id)") ==
             "0,1,3,2,1,-1");
  BOOST_TEST(Value("SELECT min(mod) || min(usn) FROM cards") == "52");
}

BOOST_FIXTURE_TEST_CASE(objects_may_swap_names, Collection) {
  for (const int version : {18, 11}) {
    if (version == 11) DowngradeToSchema11(path);
    {
      CollectionFileWriter writer(path);
      writer.PutDecks({DeckObject(10, "A"), DeckObject(11, "B")});
      writer.Finish();
    }
    CollectionFileWriter writer(path);
    writer.PutDecks({DeckObject(10, "B"), DeckObject(11, "A")});
    writer.Finish();
    const auto decks = Open().ReadSmallObjects().decks;
    BOOST_TEST(Find(decks, "A")->id == 11);
    BOOST_TEST(Find(decks, "B")->id == 10);
  }
}

BOOST_FIXTURE_TEST_CASE(names_that_clash_in_the_file_are_made_unique, Collection) {
  CollectionFileWriter writer(path);
  writer.PutDecks({DeckObject(10, "straße"), DeckObject(11, "STRASSE")});
  writer.Finish();
  const auto decks = Open().ReadSmallObjects().decks;
  BOOST_TEST(Find(decks, "straße") != nullptr);
  BOOST_TEST(Find(decks, "STRASSE+") != nullptr);
}

BOOST_FIXTURE_TEST_CASE(a_downgraded_file_has_the_same_content, Collection) {
  Fill(path, 5, 5);
  const auto before = Open().ReadSmallObjects();
  DowngradeToSchema11(path);
  const auto file = Open();
  BOOST_TEST(file.SchemaVersion() == 11);
  BOOST_TEST(file.Counts().notes == 5);
  const auto after = file.ReadSmallObjects();
  BOOST_REQUIRE(after.notetypes.size() == before.notetypes.size());
  for (std::size_t i = 0; i < before.notetypes.size(); ++i)
    BOOST_TEST(after.notetypes[i].json == before.notetypes[i].json);
  BOOST_TEST(after.decks[0].json == before.decks[0].json);
  BOOST_TEST(after.deck_configs[0].json == before.deck_configs[0].json);
  BOOST_TEST(after.config_json == before.config_json);
  BOOST_CHECK_NO_THROW(DowngradeToSchema11(path));
  Fill(path, 7, 7);
  BOOST_TEST(Open().Counts().revlog == 7);
}

BOOST_FIXTURE_TEST_CASE(schemas_14_to_17_are_read_and_written, Collection) {
  const auto before = Open().ReadSmallObjects();
  // 17: graves without a primary key
  Sql("DROP TABLE graves; CREATE TABLE graves (usn integer NOT NULL, oid integer NOT NULL, type integer NOT "
      "NULL);"
      "INSERT INTO graves VALUES (1, 5, 0), (2, 5, 0); UPDATE col SET ver = 17");
  BOOST_TEST(Refusal() == "");
  BOOST_TEST(Open().ReadGraves().size() == 1u);
  // 16: tags without `collapsed` and `config`
  Sql("DROP TABLE tags; CREATE TABLE tags (tag text NOT NULL PRIMARY KEY COLLATE unicase, usn integer NOT "
      "NULL) "
      "WITHOUT ROWID; UPDATE col SET ver = 16");
  {
    CollectionFileWriter writer(path);
    writer.PutTags({{"a", 1}, {"A", 2}});
    writer.Finish();
  }
  BOOST_TEST(Open().ReadSmallObjects().tags.size() == 1u);
  // 15: the ease multiplied by 100
  Sql("UPDATE col SET ver = 15");
  {
    CollectionFileWriter writer(path);
    writer.PutDeckConfigs(before.deck_configs);
    writer.Finish();
  }
  BOOST_TEST(Open().ReadSmallObjects().deck_configs[0].json == before.deck_configs[0].json);
  DowngradeToSchema11(path);
  BOOST_TEST(Open().ReadSmallObjects().deck_configs[0].json == before.deck_configs[0].json);
  // 14: separate tables for deck configs (as JSON), config and tags only
  Sql("CREATE TABLE deck_config (id integer PRIMARY KEY NOT NULL, name text NOT NULL COLLATE unicase,"
      "mtime_secs integer NOT NULL, usn integer NOT NULL, config blob NOT NULL);"
      "CREATE TABLE config (KEY text NOT NULL PRIMARY KEY, usn integer NOT NULL, mtime_secs integer NOT NULL,"
      "val blob NOT NULL) WITHOUT ROWID;"
      "CREATE TABLE tags (tag text NOT NULL PRIMARY KEY COLLATE unicase, usn integer NOT NULL) WITHOUT ROWID;"
      "UPDATE col SET ver = 14, dconf = '', conf = '', tags = ''");
  {
    CollectionFileWriter writer(path);
    writer.PutDeckConfigs(before.deck_configs);
    writer.PutConfig(before.config_json);
    writer.PutDecks({DeckObject(10, "New")});
    writer.Finish();
  }
  const auto after = Open().ReadSmallObjects();
  BOOST_TEST(after.deck_configs[0].json == before.deck_configs[0].json);
  BOOST_TEST(after.config_json == before.config_json);
  BOOST_TEST(after.notetypes.size() == 6u);
  BOOST_TEST(Find(after.decks, "New") != nullptr);
}

BOOST_FIXTURE_TEST_CASE(a_file_in_wal_mode_needs_no_wal, Collection) {
  Poke(18, "\2\2");
  BOOST_TEST(Open().IsWal());
  BOOST_TEST(Open().Counts().notetypes == 6);
  BOOST_TEST(!std::filesystem::exists(path + "-wal"));
  BOOST_TEST(!std::filesystem::exists(path + "-shm"));
  Fill(path, 1, 0);
  BOOST_TEST(!Open().IsWal());
  BOOST_TEST(!std::filesystem::exists(path + "-wal"));
}

BOOST_FIXTURE_TEST_CASE(files_that_are_not_collections_are_refused, Folder) {
  const auto refusal = [this](const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    try {
      CollectionFile::Open(path, CollectionFile::Check::kFull);
    } catch (const FileRefused& refused) {
      return std::string(refused.what());
    }
    return std::string();
  };
  BOOST_TEST(refusal("") == "The uploaded collection is empty.");
  BOOST_TEST(refusal("not sqlite") ==
             "Your upload was corrupt. Please use Check Database, or restore from backup.");
  BOOST_TEST(refusal(std::string(100'000, 'x')) ==
             "Your upload was corrupt. Please use Check Database, or restore from backup.");
  BOOST_TEST(refusal(std::string("SQLite format 3\0", 16)) != "");
  BOOST_TEST(refusal(std::string("SQLite format 3\0", 16) + std::string(5000, '\0')) != "");
  std::filesystem::remove(path);
  sqlite3* db = nullptr;
  BOOST_REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
  sqlite3_exec(db, "CREATE TABLE t (a)", nullptr, nullptr, nullptr);
  sqlite3_close(db);
  BOOST_CHECK_THROW(CollectionFile::Open(path, CollectionFile::Check::kFull), FileRefused);
}

BOOST_FIXTURE_TEST_CASE(a_file_with_very_many_tables_is_refused_at_once, Collection) {
  Fill(path, 1, 1);
  sqlite3* db = nullptr;
  BOOST_REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
  const int code = sqlite3_exec(db,
                                "PRAGMA writable_schema = 1; BEGIN;"
                                "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 100000)"
                                "INSERT INTO sqlite_schema SELECT 'table', 't' || n, 't' || n, 2,"
                                "'CREATE TABLE t' || n || ' (a)' FROM n; COMMIT",
                                nullptr, nullptr, nullptr);
  sqlite3_close(db);
  BOOST_REQUIRE(code == SQLITE_OK);
  for (const auto check : {CollectionFile::Check::kFull, CollectionFile::Check::kTrusted}) {
    const auto begin = std::chrono::steady_clock::now();
    BOOST_CHECK_EXCEPTION(CollectionFile::Open(path, check), FileRefused, [](const FileRefused& refused) {
      return std::string_view(refused.what()).find("do not belong to Anki") != std::string_view::npos;
    });
    BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(500)));
  }
}

BOOST_FIXTURE_TEST_CASE(a_truncated_file_is_refused, Collection) {
  Fill(path, 500, 500);
  const auto size = std::filesystem::file_size(path);
  for (const auto left :
       {size - 1, size - 4096, size / 2, std::uintmax_t{4096}, std::uintmax_t{1000}, std::uintmax_t{100}}) {
    std::filesystem::copy_file(path, path + ".cut", std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(path + ".cut", left);
    BOOST_CHECK_THROW(CollectionFile::Open(path + ".cut", CollectionFile::Check::kFull), FileRefused);
  }
}

BOOST_AUTO_TEST_CASE(unknown_schema_versions_are_refused) {
  for (const int version : {0, 10, 12, 13, 19, 100, -1}) {
    const Collection collection;
    collection.Sql("UPDATE col SET ver = " + std::to_string(version));
    BOOST_TEST(collection.Refused(), version);
  }
}

BOOST_AUTO_TEST_CASE(a_schema_that_could_run_code_is_refused) {
  for (const auto* sql : {
           "CREATE TRIGGER t AFTER INSERT ON cards BEGIN DELETE FROM notes; END",
           "CREATE VIEW v AS SELECT * FROM cards",
           "ALTER TABLE notes ADD COLUMN g text GENERATED ALWAYS AS (upper(flds)) VIRTUAL",
           "CREATE INDEX x ON notes (lower(guid))",
           "CREATE INDEX x ON notes (mid + usn)",
           "CREATE INDEX x ON notes (mid) WHERE abs(usn) > 1",
           "CREATE TABLE extra (a CHECK (a > 0))",
           "CREATE VIRTUAL TABLE f USING fts5(a)",
       }) {
    const Collection collection;
    collection.Sql(sql);
    BOOST_TEST(collection.Refused(), sql);
  }
}

BOOST_AUTO_TEST_CASE(an_incomplete_schema_is_refused) {
  for (const auto* sql :
       {"DROP TABLE revlog", "DROP TABLE graves", "DROP TABLE col", "DROP TABLE decks", "DELETE FROM col",
        "ALTER TABLE cards RENAME COLUMN did TO dif",
        "INSERT INTO col SELECT 2, crt, mod, scm, ver, dty, usn, ls, '', '', '', '', '' FROM col"}) {
    const Collection collection;
    collection.Sql(sql);
    BOOST_TEST(collection.Refused(), sql);
  }
}

BOOST_FIXTURE_TEST_CASE(plain_extra_tables_and_statistics_are_accepted, Collection) {
  Fill(path, 100, 100);
  Sql("CREATE TABLE android_metadata (locale TEXT); INSERT INTO android_metadata VALUES ('en_US'); ANALYZE;"
      "CREATE TABLE addon (a integer primary key, b text default 'x'); CREATE INDEX addon_b ON addon (b);"
      "CREATE INDEX mine ON cards (due)");
  BOOST_TEST(Refusal() == "");
}

// Reads everything in the file and returns the columns whose values were adjusted.
std::string AdjustedIn(const Collection& collection) {
  const auto file = collection.Open();
  file.EachCard(kStart, -1, [](const Card&) {});
  file.EachNote(kStart, -1, [](const Note&) {});
  file.EachReview(kStart, -1, [](const Review&) {});
  std::string columns;
  for (const auto& [column, adjusted] : file.Adjusted())
    columns += column + ' ' + std::to_string(adjusted.count) + ' ';
  return columns;
}

BOOST_AUTO_TEST_CASE(odd_values_are_accepted_and_counted_by_column) {
  struct Odd {
    const char *sql, *adjusted;
  };
  for (const auto& [sql, adjusted] : std::initializer_list<Odd>{
           {"UPDATE cards SET usn = -1", "cards.usn 1 "},
           {"UPDATE notes SET usn = -1", "notes.usn 1 "},
           {"UPDATE revlog SET usn = 'x'", "revlog.usn 1 "},
           {"UPDATE decks SET usn = -1", "decks.usn 1 "},
           {"UPDATE notetypes SET usn = 9999999999", "notetypes.usn 6 "},
           {"UPDATE deck_config SET usn = -1", "deck_config.usn 1 "},
           {"INSERT INTO tags VALUES ('t', -1, 0, NULL)", "tags.usn 1 "},
           {"INSERT INTO tags VALUES (x'ff', 0, 0, NULL)", "tags.tag 1 "},
           {"INSERT INTO graves VALUES (1, 0, -1), (2, 9, 0), ('x', 0, 0)",
            "graves.oid 1 graves.type 1 graves.usn 1 "},
           {"UPDATE cards SET usn = 4294967296", "cards.usn 1 "},
           {"UPDATE cards SET type = 4", "cards.type 1 "},
           {"UPDATE cards SET queue = 5", "cards.queue 1 "},
           {"UPDATE cards SET ord = 65536", "cards.ord 1 "},
           {"UPDATE cards SET nid = 'x'", "cards.nid 1 "},
           {"UPDATE cards SET did = 1.5, odid = 'x'", "cards.did 1 cards.odid 1 "},
           {"UPDATE cards SET factor = -1, reps = -1, lapses = 1.5, left = 1e30, flags = 256",
            "cards.factor 1 cards.flags 1 cards.lapses 1 cards.left 1 cards.reps 1 "},
           {"UPDATE cards SET data = CAST(x'ff' AS text)", "cards.data 1 "},
           {"UPDATE notes SET flds = x'00'", "notes.flds 1 "},
           {"UPDATE notes SET guid = CAST(x'c328' AS text), tags = x'00'", "notes.guid 1 notes.tags 1 "},
           {"UPDATE notes SET mid = 'x', mod = 1.5", "notes.mid 1 notes.mod 1 "},
           {"UPDATE revlog SET cid = 'x'", "revlog.cid 1 "},
           {"UPDATE revlog SET ease = -1, factor = 8589934592", "revlog.ease 1 revlog.factor 1 "},
           {"UPDATE notetypes SET config = x'ff' WHERE id = 1700000000000", "notetypes.config 1 "},
           {"UPDATE fields SET config = 'x' WHERE ord = 0", "notetypes.config 6 "},
           {"UPDATE decks SET kind = x''", "decks.kind 1 "},
           {"UPDATE decks SET common = x'ff'", "decks.kind 1 "},
           {"UPDATE decks SET name = CAST(x'ff' AS text)", "decks.name 1 "},
           {"UPDATE deck_config SET config = x'0f'", "deck_config.config 1 "},
           {"UPDATE config SET val = 'no json' WHERE KEY = 'curDeck'", "config.val 1 "},
           {"INSERT INTO notetypes SELECT 0, 'zero', 0, 0, config FROM notetypes LIMIT 1", ""},
           {"UPDATE col SET usn = -1, crt = -5, mod = -5, scm = -5", ""},
       }) {
    const Collection collection;
    collection.Sql(kCard);
    collection.Sql(kNote);
    collection.Sql(kReview);
    BOOST_TEST(AdjustedIn(collection) == "");
    collection.Sql(sql);
    BOOST_TEST(collection.Refusal() == "", sql);
    BOOST_TEST(AdjustedIn(collection) == adjusted, sql);
  }
}

BOOST_FIXTURE_TEST_CASE(odd_values_are_read_as_the_nearest_valid_value, Collection) {
  Sql(std::string(kCard) + ";" + kNote + ";" + kReview);
  Sql("UPDATE cards SET ord = 70000, factor = -1, reps = -1, lapses = 1.9, left = 1e30, flags = 300, type = "
      "9,"
      "queue = 9, did = 'x', odid = 2.5, nid = '12x', usn = -1;"
      "UPDATE notes SET guid = x'61ff', flds = CAST('a' AS blob), mod = 7.9, mid = 'x', usn = 5000000000;"
      "UPDATE revlog SET ease = 300, factor = 8589934592, cid = 'x', usn = 1.5");
  Open().EachCard(kStart, 1, [](const Card& card) {
    BOOST_TEST(card.ord == 65535);
    BOOST_TEST(card.factor == 0);
    BOOST_TEST(card.reps == 0);
    BOOST_TEST(card.lapses == 1);
    BOOST_TEST(card.left == 4'294'967'295);
    BOOST_TEST(card.flags == 255);
    BOOST_TEST(card.type == 0);
    BOOST_TEST(card.queue == -1);
    BOOST_TEST(card.deck_id == 0);
    BOOST_TEST(card.original_deck_id == 2);
    BOOST_TEST(card.note_id == 12);
    BOOST_TEST(card.usn == 0);
  });
  Open().EachNote(kStart, 1, [](const Note& note) {
    BOOST_TEST(note.guid == "a\xff");
    BOOST_TEST(note.fields == "a");
    BOOST_TEST(note.mod == 7);
    BOOST_TEST(note.notetype_id == 0);
    BOOST_TEST(note.usn == 705'032'704);
  });
  Open().EachReview(kStart, 1, [](const Review& review) {
    BOOST_TEST(review.ease == 255);
    BOOST_TEST(review.factor == 4'294'967'295);
    BOOST_TEST(review.card_id == 0);
    BOOST_TEST(review.usn == 1);
  });
  // Where Anki's reader truncates a number to its lowest bits, so do we.
  Sql("UPDATE cards SET type = 258, queue = 254; UPDATE revlog SET type = 257");
  Open().EachCard(kStart, 1, [](const Card& card) {
    BOOST_TEST(card.type == 2);
    BOOST_TEST(card.queue == -2);
  });
  Open().EachReview(kStart, 1, [](const Review& review) { BOOST_TEST(review.type == 1); });
  // Opening it again without the check gives the same values.
  const auto trusted = CollectionFile::Open(path, CollectionFile::Check::kTrusted);
  BOOST_TEST(trusted.MaxUsn() >= 705'032'704);
  trusted.EachCard(kStart, 1, [](const Card& card) { BOOST_TEST(card.queue == -2); });
}

BOOST_FIXTURE_TEST_CASE(unreadable_objects_are_replaced_by_defaults_and_kept_in_the_file, Collection) {
  Sql("UPDATE notetypes SET config = x'ff' WHERE name = 'Basic'; UPDATE decks SET kind = x'ff', name = x'ff';"
      "UPDATE deck_config SET config = x'ff'; UPDATE config SET val = x'00' WHERE KEY = 'curDeck'");
  const auto objects = Open().ReadSmallObjects();
  BOOST_REQUIRE(Find(objects.notetypes, "Basic") != nullptr);
  BOOST_TEST(Find(objects.notetypes, "Basic")->field_count == 2);
  BOOST_TEST(Find(objects.notetypes, "Basic")->template_count == 1);
  BOOST_REQUIRE_EQUAL(objects.decks.size(), 1U);
  BOOST_TEST(objects.decks[0].name == "\xEF\xBF\xBD");
  BOOST_TEST(objects.decks[0].json.find("\"dyn\":0") != std::string::npos);
  BOOST_TEST(objects.deck_configs.size() == 1U);
  BOOST_TEST(objects.config_json.find("curDeck") == std::string::npos);
  BOOST_TEST(Open().Counts().notetypes == 6);
  // Writing to the file leaves them unchanged, also when a note of such a notetype is written.
  CollectionFileWriter writer(path);
  writer.PutNote(MakeNote(7, "late"));
  writer.PutDecks({DeckObject(10, "Other")});
  writer.Finish();
  BOOST_TEST(Refusal() == "");
  BOOST_TEST(Value("SELECT hex(config) FROM notetypes WHERE name = 'Basic'") == "FF");
  BOOST_TEST(Value("SELECT hex(kind) FROM decks WHERE id = 1") == "FF");
  BOOST_TEST(Value("SELECT sfld FROM notes WHERE id = 7") == "late");
}

BOOST_AUTO_TEST_CASE(a_preference_is_read_up_to_the_depth_that_sync_supports) {
  for (const auto& [depth, is_taken] : {std::pair{101, true}, {124, true}, {125, true}, {126, false}}) {
    const Collection collection;
    collection.Sql("INSERT INTO config VALUES ('deep', 0, 0, CAST('" + std::string(depth, '[') +
                   std::string(depth, ']') + "' AS blob))");
    BOOST_TEST(collection.Refusal() == "");
    const auto config = collection.Open().ReadSmallObjects().config_json;
    BOOST_TEST((config.find("deep") != std::string::npos) == is_taken, depth);
    CollectionFileWriter writer(collection.path);
    writer.PutConfig(config);
    writer.Finish();
    BOOST_TEST(collection.Open().ReadSmallObjects().config_json == config, depth);
  }
}

BOOST_AUTO_TEST_CASE(a_col_row_that_clients_cannot_read_is_detected) {
  for (const auto& [sql, is_readable] :
       {std::pair{"UPDATE col SET usn = 2147483647, crt = -1, mod = -1, scm = -1", true},
        {"UPDATE col SET usn = 2147483648", false},
        {"UPDATE col SET usn = -1", false},
        {"UPDATE col SET usn = 1.5", false},
        {"UPDATE col SET mod = 1.5", false}}) {
    const Collection collection;
    collection.Sql(sql);
    BOOST_TEST(collection.Open().HasReadableMeta() == is_readable, sql);
  }
  const Collection collection;
  collection.Sql("UPDATE col SET mod = 'x'");
  BOOST_TEST(collection.Refused());
}

BOOST_AUTO_TEST_CASE(refusals_give_useful_advice) {
  const auto advice = [](const char* sql, bool old = false) {
    const Collection collection;
    if (old) DowngradeToSchema11(collection.path);
    collection.Sql(sql);
    return collection.Refusal();
  };
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  // Anki parses these when it opens the file, so its own check cannot run.
  BOOST_TEST(has(advice("UPDATE col SET models = '[]'", true), "Open Backup"));
  BOOST_TEST(!has(advice("UPDATE col SET models = '[]'", true), "Check Database"));
  BOOST_TEST(has(advice("UPDATE col SET models = replace(models, '{\"1700000000000\"', '{\"0\"')", true),
                 "current version of Anki"));
  // A package of the whole collection would include triggers; a package of decks does not.
  BOOST_TEST(has(advice("CREATE VIEW v AS SELECT * FROM cards"), ".apkg"));
}

BOOST_FIXTURE_TEST_CASE(values_that_upstream_tolerates_are_read_like_upstream, Collection) {
  Sql(std::string(kCard) + ";" + kNote + ";" + kReview +
      "; UPDATE cards SET mod = 7.9, ivl = '12x', due = 1.5, odue = 'x', data = x'00'; UPDATE notes SET csum "
      "= 'x';"
      "UPDATE revlog SET ivl = 3.7, lastIvl = '4', time = 'x', type = 99");
  BOOST_TEST(Refusal() == "");
  Open().EachCard(kStart, 1, [](const Card& card) {
    BOOST_TEST(card.mod == 7);
    BOOST_TEST(card.interval == 12);
    BOOST_TEST(card.due == 0);
    BOOST_TEST(card.original_due == 0);
    BOOST_TEST(card.data == "");
  });
  Open().EachReview(kStart, 1, [](const Review& review) {
    BOOST_TEST(review.interval == 3);
    BOOST_TEST(review.last_interval == 4);
    BOOST_TEST(review.taken_ms == 0);
    BOOST_TEST(review.type == 0);
  });
}

BOOST_AUTO_TEST_CASE(indexes_that_disagree_with_their_tables_are_refused) {
  // Each is made by giving an index the tree of another one, or by changing its definition.
  for (const auto* sql : {
           "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = "
           "'ix_revlog_usn') "
           "WHERE name = 'ix_revlog_cid'",
           "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = "
           "'ix_cards_usn') "
           "WHERE name = 'ix_cards_nid'",
           "UPDATE sqlite_schema SET sql = replace(sql, '(csum)', '(mid)') WHERE name = 'ix_notes_csum'",
           "UPDATE sqlite_schema SET sql = replace(sql, '(name)', '(mtime_secs)') WHERE name = "
           "'idx_notetypes_name'",
           "UPDATE sqlite_schema SET sql = replace(sql, 'COLLATE unicase', '') WHERE name = 'notetypes'",
       }) {
    const Collection collection;
    Fill(collection.path, 50, 50);
    collection.Sql(
        "UPDATE cards SET nid = 51 - id; UPDATE revlog SET cid = 100 - id; INSERT INTO notetypes SELECT "
        "5, 'aaa', 0, 0, config FROM notetypes LIMIT 1;");
    BOOST_TEST(collection.Refusal() == "");
    collection.Schema(sql);
    BOOST_TEST(collection.Refused(), sql);
  }
}

BOOST_FIXTURE_TEST_CASE(an_index_that_differs_from_its_table_by_one_row_is_refused, Collection) {
  Fill(path, 10, 300);
  // Removes the index from the schema, changes the table, and restores the index unchanged.
  const auto root = Value("SELECT rootpage FROM sqlite_schema WHERE name = 'ix_revlog_cid'");
  for (const auto* change : {"DELETE FROM revlog WHERE id = 7", "UPDATE revlog SET cid = 0 WHERE id = 7",
                             "INSERT INTO revlog VALUES (999, 1, 0, 3, 10, 5, 2500, 1000, 1)"}) {
    const std::string before = path + ".before";
    std::filesystem::copy_file(path, before, std::filesystem::copy_options::overwrite_existing);
    Schema("DELETE FROM sqlite_schema WHERE name = 'ix_revlog_cid'");
    Sql(change);
    Schema("INSERT INTO sqlite_schema VALUES ('index', 'ix_revlog_cid', 'revlog', " + root +
           ", 'CREATE INDEX ix_revlog_cid ON revlog (cid)')");
    BOOST_TEST(Refused(), change);
    std::filesystem::copy_file(before, path, std::filesystem::copy_options::overwrite_existing);
  }
}

BOOST_FIXTURE_TEST_CASE(an_index_must_match_the_stored_values_not_the_adjusted_ones, Collection) {
  Fill(path, 10, 10);
  const auto index = [this](const char* name) {
    return "INSERT INTO sqlite_schema VALUES ('index', '" + std::string(name) + "', '" +
           Value("SELECT tbl_name FROM sqlite_schema WHERE name = '" + std::string(name) + "'") + "', " +
           Value("SELECT rootpage FROM sqlite_schema WHERE name = '" + std::string(name) + "'") + ", '" +
           Value("SELECT sql FROM sqlite_schema WHERE name = '" + std::string(name) + "'") + "')";
  };
  for (const auto& [name, before, after] :
       {std::tuple{"ix_cards_sched", "UPDATE cards SET queue = -1 WHERE id = 3",
                   "UPDATE cards SET queue = 9 WHERE id = 3"},
        {"ix_revlog_usn", "UPDATE revlog SET usn = 0 WHERE id = 3",
         "UPDATE revlog SET usn = -1 WHERE id = 3"},
        {"ix_revlog_cid", "UPDATE revlog SET cid = 0 WHERE id = 3",
         "UPDATE revlog SET cid = 'x' WHERE id = 3"},
        {"ix_cards_nid", "UPDATE cards SET nid = 1 WHERE id = 3",
         "UPDATE cards SET nid = 1.5 WHERE id = 3"}}) {
    Sql(before);
    const auto back = index(name);
    Schema("DELETE FROM sqlite_schema WHERE name = '" + std::string(name) + "'");
    Sql(after);
    Schema(back);
    BOOST_TEST(Refused(), after);
    Sql("REINDEX");
    BOOST_TEST(Refusal() == "", after);
  }
}

BOOST_FIXTURE_TEST_CASE(an_index_of_names_in_another_order_is_refused, Collection) {
  // A server with different case folding would write this: the client's own check would reject the download.
  CollectionFileWriter writer(path);
  writer.PutDecks({DeckObject(10, "apple"), DeckObject(11, "Banana")});
  writer.Finish();
  BOOST_TEST(Refusal() == "");
  sqlite3* db = nullptr;
  BOOST_REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
  sqlite3_create_collation(db, "unicase", SQLITE_UTF8, nullptr,
                           [](void*, int n, const void* a, int m, const void* b) {
                             return std::string(static_cast<const char*>(a), n)
                                 .compare(std::string(static_cast<const char*>(b), m));
                           });
  sqlite3_exec(db, "REINDEX", nullptr, nullptr, nullptr);
  sqlite3_close(db);
  BOOST_TEST(Refused());
}

BOOST_AUTO_TEST_CASE(no_single_damaged_byte_does_harm) {
  // Whatever the damaged byte: the file is refused, or everything in it can be read.
  const Collection original;
  Fill(original.path, 20, 20);
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(original.path));
  const Collection copy;
  int refused = 0;
  for (std::int64_t at = 0; at < size; at += 211) {
    std::filesystem::copy_file(original.path, copy.path, std::filesystem::copy_options::overwrite_existing);
    copy.Poke(at, "\xA5");
    if (copy.Refused()) {
      ++refused;
      continue;
    }
    const auto file = copy.Open();
    BOOST_CHECK_NO_THROW(file.EachNote(kStart, -1, [](const Note&) {}));
    BOOST_CHECK_NO_THROW(file.EachCard(kStart, -1, [](const Card&) {}));
    BOOST_CHECK_NO_THROW(file.EachReview(kStart, -1, [](const Review&) {}));
    BOOST_CHECK_NO_THROW(file.ReadSmallObjects());
  }
  BOOST_TEST(refused > 0);
}

BOOST_FIXTURE_TEST_CASE(a_text_over_the_limit_is_refused_with_its_own_sentence, Collection) {
  Sql("INSERT INTO notes VALUES (1, 'g', 1, 1, 0, '', CAST(zeroblob(40000000) AS text), 'a', 1, 0, '')");
  const auto is_too_large = [](const FileRefused& e) {
    return std::string(e.what()).find("too large") != std::string::npos;
  };
  BOOST_CHECK_EXCEPTION(CollectionFile::Open(path, CollectionFile::Check::kFull, 19'000'000), FileRefused,
                        is_too_large);
  BOOST_TEST(Refusal().find("too large") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(old_files_with_odd_json_are_read_like_upstream) {
  const Collection collection;
  DowngradeToSchema11(collection.path);
  // Duplicate names get a _, the map's key overrides a wrong id inside, and of duplicate keys the last one
  // counts.
  collection.Sql("UPDATE col SET decks = '{\"1\":" + Deck(1, "Default") + ",\"2\":" + Deck(2, "DEFAULT") +
                 "}', dconf = replace(dconf, '{\"id\":1', '{\"name\":\"x\",\"id\":7')");
  const auto objects = collection.Open().ReadSmallObjects();
  BOOST_TEST(Find(objects.decks, "Default")->id == 1);
  BOOST_REQUIRE(Find(objects.decks, "DEFAULT_") != nullptr);
  BOOST_TEST(Find(objects.decks, "DEFAULT_")->json.find("\"name\":\"DEFAULT_\"") != std::string::npos);
  BOOST_TEST(objects.deck_configs[0].id == 1);
  BOOST_TEST(objects.deck_configs[0].name == "Default");
  BOOST_TEST(objects.deck_configs[0].json.starts_with("{\"id\":1,"));
  for (const auto* sql :
       {"UPDATE col SET models = ''", "UPDATE col SET models = '[]'", "UPDATE col SET conf = 'x'",
        "UPDATE col SET tags = '{\"a\":\"b\"}'", "UPDATE col SET decks = '{\"x\":{}}'",
        "UPDATE col SET decks = '{\"99999999999999999999\":{}}'", "UPDATE col SET tags = '{\"a\":1.5}'"}) {
    const Collection broken;
    DowngradeToSchema11(broken.path);
    broken.Sql(sql);
    BOOST_TEST(broken.Refused(), sql);
  }
}

BOOST_FIXTURE_TEST_CASE(many_duplicate_names_are_read_in_linear_time, Collection) {
  DowngradeToSchema11(path);
  BOOST_TEST(tests::IsLinear(2'500, [&](std::size_t size) {
    std::string decks = "{";
    for (std::size_t id = 1; id <= size; ++id)
      decks += (id > 1 ? ",\"" : "\"") + std::to_string(id) + "\":" + Deck(static_cast<int>(id), "same");
    Sql("UPDATE col SET decks = '" + decks + "}'");
    BOOST_TEST(Open().Counts().decks == static_cast<std::int64_t>(size));
  }));
}

BOOST_FIXTURE_TEST_CASE(a_trusted_file_is_opened_without_the_check, Collection) {
  Fill(path, 3, 4);
  const auto file = CollectionFile::Open(path, CollectionFile::Check::kTrusted);
  BOOST_TEST(file.SchemaVersion() == 18);
  BOOST_TEST(file.Counts().revlog == 4);
  BOOST_TEST(file.Counts().notetypes == 6);
  BOOST_TEST(file.MaxUsn() == 2);
}
