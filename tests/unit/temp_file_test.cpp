// Files without a name: they work as files and as collections, and leave nothing in their directory.
#include "handlers/base/temp_file.h"

#include <stdlib.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>

#include "handlers/anki/file/file_wire.h"

using namespace syncline;
using namespace syncline::anki;

namespace {

struct Directory {
  std::string path = (std::filesystem::temp_directory_path() / "syncline_temp_file_test.XXXXXX").string();
  Directory() { BOOST_REQUIRE(mkdtemp(path.data()) != nullptr); }
  ~Directory() { std::filesystem::remove_all(path); }
  bool IsEmpty() const { return std::filesystem::is_empty(path); }
};

Note NoteWith(std::int64_t id, const std::string& fields) {
  Note note;
  note.id = id;
  note.guid = std::to_string(id);
  note.notetype_id = 1;
  note.fields = fields;
  return note;
}

std::int64_t Notes(const std::string& path) {
  return CollectionFile::Open(path, CollectionFile::Check::kFull).Counts().notes;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(temp_file, Directory)

BOOST_AUTO_TEST_CASE(a_temporary_file_has_no_name_and_can_be_opened_again) {
  TempFile file(path);
  file.Write("12345");
  BOOST_TEST(IsEmpty());
  BOOST_TEST(std::filesystem::file_size(file.path()) == 5u);
  BOOST_TEST(file.Size() == 5u);
}

BOOST_AUTO_TEST_CASE(a_collection_in_a_file_without_a_name_is_written_changed_and_rolled_back) {
  const CollectionMeta meta{.created_s = 1, .mod_ms = 2, .schema_ms = 3, .last_sync_ms = 4, .usn = 5};
  const TempFile file(path);
  CreateEmptyCollection(file.path(), meta);
  constexpr int kNotes = 20'000;
  {
    CollectionFileWriter writer(file.path());
    for (int i = 1; i <= kNotes; ++i) writer.PutNote(NoteWith(i, std::string(1000, 'x')));
    BOOST_TEST(IsEmpty());
    writer.Finish();
  }
  BOOST_TEST(Notes(file.path()) == kNotes);
  {
    // More than fits into the cache of SQLite, so pages reach the file and must be taken back.
    CollectionFileWriter writer(file.path());
    for (int i = 1; i <= 2 * kNotes; ++i) writer.PutNote(NoteWith(i, std::string(1500, 'y')));
    BOOST_TEST(IsEmpty());
  }
  BOOST_TEST(Notes(file.path()) == kNotes);
  {
    CollectionFileWriter writer(file.path());
    writer.PutNote(NoteWith(kNotes + 1, "z"));
    writer.Finish();
  }
  BOOST_TEST(Notes(file.path()) == kNotes + 1);
  DowngradeToSchema11(file.path());
  BOOST_TEST(CollectionFile::Open(file.path(), CollectionFile::Check::kFull).SchemaVersion() == 11);
  BOOST_TEST(IsEmpty());
}

BOOST_AUTO_TEST_SUITE_END()
