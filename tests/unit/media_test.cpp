// What a batch of media changes, which names are taken, the messages, and zips that lie. Zips are made here byte by byte.
#include <zip.h>

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "handlers/anki/media/media_rules.h"
#include "handlers/anki/media/media_wire.h"
#include "handlers/anki/media/zip_wire.h"
#include "handlers/base/crc32.h"
#include "handlers/base/errors.h"
#include "handlers/base/sha256.h"
#include "handlers/base/temp_file.h"
#include "tests/support/inputs.h"
#include "tests/support/media_zip.h"

using namespace syncline;
using namespace syncline::anki;
using tests::ZipOf;

namespace {

MediaContent Content(const std::string& bytes) {
  return {tests::Sha1Of(bytes), static_cast<std::int64_t>(bytes.size()), Crc32(bytes)};
}

SentMedia Add(const std::string& name, const std::string& bytes) {
  return {name, Content(bytes)};
}

SentMedia Delete(const std::string& name) {
  return {name, std::nullopt};
}

auto HasCode(const std::string& code) {
  return [code](const Error& e) { return e.code() == code && e.kind() == ErrorKind::kBadInput; };
}

std::string ReadAll(const std::string& zip, const std::string& name, std::uint64_t limit = 1 << 20) {
  const ZipReader reader(zip);
  return reader.ReadAll(reader.Find(name), limit);
}

// A zip whose entries are compressed, made by libzip.
std::string DeflatedZip(const std::string& name, const std::string& bytes, int method = ZIP_CM_DEFLATE,
                        const char* password = nullptr) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* out = zip_source_buffer_create(nullptr, 0, 0, &error);
  zip_source_keep(out);
  zip_t* zip = zip_open_from_source(out, ZIP_TRUNCATE, &error);
  zip_source_t* source = zip_source_buffer(zip, bytes.data(), bytes.size(), 0);
  zip_file_add(zip, name.c_str(), source, 0);
  zip_set_file_compression(zip, 0, method, 0);
  if (password != nullptr) zip_file_set_encryption(zip, 0, ZIP_EM_TRAD_PKWARE, password);
  BOOST_REQUIRE(zip_close(zip) == 0);
  zip_source_open(out);
  zip_source_seek(out, 0, SEEK_END);
  std::string all(static_cast<std::size_t>(zip_source_tell(out)), '\0');
  zip_source_seek(out, 0, SEEK_SET);
  zip_source_read(out, all.data(), all.size());
  zip_source_close(out);
  zip_source_free(out);
  return all;
}

void Put(std::string& bytes, std::size_t at, std::uint32_t value, int width) {
  for (int i = 0; i < width; ++i)
    bytes[at + static_cast<std::size_t>(i)] = static_cast<char>(value >> (8 * i));
}

}  // namespace

// ---- what a batch changes

BOOST_AUTO_TEST_CASE(new_content_and_deletions_of_what_is_there_take_a_usn_each) {
  const KnownMediaByName known{{"same", Content("same")}, {"other", Content("old")}, {"gone", std::nullopt}};
  const std::vector<SentMedia> sent{Add("new", "12"), Add("same", "same"), Add("other", "changed"),
                                    Delete("gone"),   Delete("never"),     Add("gone", "back")};
  const MediaChanges changes = DecideMedia(sent, known, 9);
  BOOST_TEST(changes.last_usn == 12);
  BOOST_REQUIRE(changes.changes.size() == 3u);
  BOOST_TEST(changes.changes[0].sent == 0u);
  BOOST_TEST(changes.changes[0].usn == 10);
  BOOST_TEST(changes.changes[1].sent == 2u);
  BOOST_TEST(changes.changes[1].usn == 11);
  BOOST_TEST(changes.changes[2].sent == 5u);
  BOOST_TEST(changes.changes[2].usn == 12);
  BOOST_TEST(changes.files == 2);
  BOOST_TEST(changes.bytes == 2 + (7 - 3) + 4);
  BOOST_TEST(changes.has_replaced);
  BOOST_TEST(!changes.are_all_changes);
  // A new row, and one of history.
  BOOST_TEST(changes.row_bytes == MediaRowBytes("new") + MediaRowBytes("other"));
}

BOOST_AUTO_TEST_CASE(a_batch_that_was_sent_before_changes_nothing) {
  const KnownMediaByName known{{"a", Content("a")}, {"b", std::nullopt}};
  const MediaChanges changes = DecideMedia({Add("a", "a"), Delete("b")}, known, 2);
  BOOST_TEST(changes.changes.empty());
  BOOST_TEST(changes.last_usn == 2);
  BOOST_TEST(changes.files == 0);
  BOOST_TEST(changes.row_bytes == 0);
  BOOST_TEST(!changes.has_replaced);
}

BOOST_AUTO_TEST_CASE(a_name_that_is_sent_twice_ends_as_the_last_one_says) {
  const MediaChanges twice = DecideMedia({Add("a", "1"), Add("a", "22"), Add("b", "x"), Delete("b")}, {}, 0);
  BOOST_TEST(twice.last_usn == 4);
  BOOST_REQUIRE(twice.changes.size() == 2u);
  BOOST_TEST(twice.changes[0].sent == 1u);
  BOOST_TEST(twice.changes[0].usn == 2);
  BOOST_TEST(twice.changes[1].sent == 3u);
  BOOST_TEST(twice.changes[1].usn == 4);
  BOOST_TEST(twice.files == 1);
  BOOST_TEST(twice.bytes == 2);
  BOOST_TEST(twice.are_all_changes);
  // Back to what it was: a change all the same, because a device may have seen what was in between.
  const MediaChanges back = DecideMedia({Add("a", "2"), Add("a", "1")}, {{"a", Content("1")}}, 7);
  BOOST_TEST(back.last_usn == 9);
  BOOST_REQUIRE(back.changes.size() == 1u);
  BOOST_TEST(back.changes[0].usn == 9);
  BOOST_TEST(back.bytes == 0);
}

BOOST_AUTO_TEST_CASE(a_deletion_takes_the_file_from_the_counters_and_keeps_its_row) {
  const MediaChanges changes = DecideMedia({Delete("a")}, {{"a", Content("12345")}}, 1);
  BOOST_TEST(changes.files == -1);
  BOOST_TEST(changes.bytes == -5);
  BOOST_TEST(changes.row_bytes == MediaRowBytes("a"));  // of history
  BOOST_TEST(changes.are_all_changes);
}

// ---- names

BOOST_AUTO_TEST_CASE(names_of_every_script_are_taken) {
  for (const char* name :
       {"a.mp3", "\u00e9t\u00e9.jpg", "\u6f22\u5b57.png", "\U0001f50a a.mp3",
        "\u0627\u0644\u0639\u0631\u0628\u064a\u0629.ogg", "\u0e20\u0e32\u0e29\u0e32.jpg",
        "\ud55c\uad6d\uc5b4.mp3", "a b & c 100%.jpg", "CON", "a:b?.png", ".hidden", "..a", " "}) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(MediaNameProblem(name) == nullptr);
    }
  }
  BOOST_TEST(MediaNameProblem(std::string(255, 'x')) == nullptr);
}

BOOST_AUTO_TEST_CASE(names_that_upstream_refuses_are_refused) {
  using namespace std::string_literals;
  for (const std::string& name :
       {""s, std::string(256, 'x'), "a/b"s, "/etc/passwd"s, "../a"s, "."s, ".."s, "a\0b"s,
        "e\u0301.jpg"s /* not NFC */, "\u212b.png"s /* the Angstrom sign */, "\xff.jpg"s,
        "\xed\xa0\xbd.mp3"s /* half a pair */}) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(MediaNameProblem(name) != nullptr);
    }
  }
}

// ---- messages

BOOST_AUTO_TEST_CASE(messages_are_read_as_upstream_reads_them) {
  BOOST_TEST(ParseMediaBegin(R"({"v":"anki,25.09 (x),lin"})") == "anki,25.09 (x),lin");
  BOOST_TEST(ParseMediaBegin("{}") == "");
  BOOST_TEST(ParseMediaChanges(R"({"lastUsn":12,"more":[1]})") == 12);
  BOOST_TEST(ParseMediaChanges(R"({"lastUsn":-1})") == -1);
  BOOST_TEST(ParseMediaSanity(R"({"local":233})") == 233);
  BOOST_TEST((ParseMediaDownload(R"({"files":["a","\ud83d\udd0a"]})") ==
              std::vector<std::string>{"a", "\U0001f50a"}));
  for (const char* json : {"", "[]", "{}", R"({"lastUsn":"1"})", R"({"lastUsn":1.5})",
                           R"({"lastUsn":3000000000})", R"({"lastUsn":1,"lastUsn":2})"}) {
    BOOST_CHECK_EXCEPTION(ParseMediaChanges(json), Error, HasCode("bad_json"));
  }
  for (const char* json : {"{}", R"({"local":-1})", R"({"local":4294967296})"}) {
    BOOST_CHECK_EXCEPTION(ParseMediaSanity(json), Error, HasCode("bad_json"));
  }
  for (const char* json : {"{}", R"({"files":{}})", R"({"files":[1]})", R"({"files":["\ud83d"]})"}) {
    BOOST_CHECK_EXCEPTION(ParseMediaDownload(json), Error, HasCode("bad_json"));
  }
}

BOOST_AUTO_TEST_CASE(a_list_holds_pairs_of_a_name_and_an_entry_or_none) {
  const auto list = ParseMediaList(R"([["a.mp3","0"],["gone.png",null],["old.png",""],["b.jpg","2"]])");
  BOOST_REQUIRE(list.size() == 4u);
  BOOST_TEST(list[0].entry.value() == "0");
  BOOST_TEST(!list[1].entry);
  BOOST_TEST(!list[2].entry);
  BOOST_TEST(list[3].name == "b.jpg");
  for (const char* json : {"{}", "null", R"(["a"])", R"([["a"]])", R"([["a","0",1]])", R"([[1,"0"]])",
                           R"([["a",0]])", R"([["\ud83d.mp3","0"]])"}) {
    BOOST_CHECK_EXCEPTION(ParseMediaList(json), Error, HasCode("bad_json"));
  }
  std::string many = "[";
  for (int i = 0; i < 100; ++i) many += (i == 0 ? "" : ",") + std::string(R"(["a",null])");
  BOOST_TEST(ParseMediaList(many + "]").size() == 100u);
  BOOST_CHECK_EXCEPTION(ParseMediaList(many + R"(,["a",null]])"), Error, HasCode("too_many_files"));
}

BOOST_AUTO_TEST_CASE(replies_have_data_and_err_in_the_forms_that_clients_read) {
  BOOST_TEST(MediaBeginReply(17, "k.ey") == R"({"data":{"usn":17,"sk":"k.ey"},"err":""})");
  BOOST_TEST(MediaChangesReply({}) == R"({"data":[],"err":""})");
  BOOST_TEST(MediaChangesReply({{"a\"b", 13, std::string(20, '\xab')}, {"gone", 14, ""}}) ==
             R"({"data":[["a\"b",13,"abababababababababababababababababababab"],["gone",14,""]],"err":""})");
  BOOST_TEST(MediaUploadReply(25, 40) == R"({"data":[25,40],"err":""})");
  BOOST_TEST(MediaSanityReply(true) == R"({"data":"OK","err":""})");
  BOOST_TEST(MediaSanityReply(false) == R"({"data":"mediaSanity","err":""})");
  BOOST_TEST(MediaRefusal("full") == R"({"data":null,"err":"full"})");
  BOOST_TEST(MediaNamesJson({"a", "\U0001f50a"}) == "{\"0\":\"a\",\"1\":\"\U0001f50a\"}");
  BOOST_TEST(MediaNamesJson({}) == "{}");
}

// ---- zips

BOOST_AUTO_TEST_CASE(hashes_are_those_of_the_standards) {
  BOOST_TEST(HexText(Content("abc").sha1) == "a9993e364706816aba3e25717850c26c9cd0d89d");
  BOOST_TEST(HexText(Sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  BOOST_TEST(Crc32("123456789") == 0xcbf43926U);
  BOOST_TEST(Crc32("") == 0u);
}

BOOST_AUTO_TEST_CASE(a_zip_that_we_write_is_read_back) {
  const std::string zip =
      ZipOf({{"0", "hello"}, {"1", std::string(100'000, 'x')}, {"_meta", R"({"0":"a","1":"b"})"}});
  BOOST_TEST(zip.size() == ZipBytes({{"0", 5, 0}, {"1", 100'000, 0}, {"_meta", 17, 0}}));
  BOOST_TEST(ReadAll(zip, "0") == "hello");
  BOOST_TEST(ReadAll(zip, "1").size() == 100'000u);
  BOOST_TEST(ReadAll(zip, "_meta") == R"({"0":"a","1":"b"})");
  TempFile file("/tmp");
  file.Write(zip);
  const ZipReader reader(file);
  BOOST_TEST(reader.ReadAll(reader.Find("0"), 10) == "hello");
  std::string pieces;
  reader.Read(reader.Find("1"), [&](std::string_view piece) { pieces.append(piece); });
  BOOST_TEST(pieces == std::string(100'000, 'x'));
  BOOST_CHECK_NO_THROW(ZipReader(ZipOf({})));
}

BOOST_AUTO_TEST_CASE(deflated_entries_are_read) {
  const std::string text(300'000, 'a');
  BOOST_TEST((ReadAll(DeflatedZip("0", text), "0") == text));
}

BOOST_AUTO_TEST_CASE(a_bomb_is_refused_by_its_size) {
  const std::string bomb = DeflatedZip("0", std::string(20 << 20, '\0'));
  BOOST_TEST(bomb.size() < 100'000u);
  BOOST_CHECK_EXCEPTION(ReadAll(bomb, "0", 1 << 20), Error, HasCode("bad_zip"));
  // One that lies about it: the size in the directory, at offset 24 of its entry.
  std::string lie = bomb;
  const std::size_t directory = lie.find("PK\1\2");
  Put(lie, directory + 24, 1000, 4);
  BOOST_CHECK_EXCEPTION(ReadAll(lie, "0", 1 << 20), Error, HasCode("bad_zip"));
  const ZipReader reader(lie);
  std::size_t expanded = 0;
  BOOST_CHECK_EXCEPTION(
      reader.Read(reader.Find("0"), [&](std::string_view piece) { expanded += piece.size(); }), Error,
      HasCode("bad_zip"));
  BOOST_TEST(expanded <= 1000u);
}

BOOST_AUTO_TEST_CASE(wrong_sizes_and_checksums_are_refused) {
  const std::string zip = ZipOf({{"0", "hello, world"}});
  const std::size_t directory = zip.find("PK\1\2");
  for (const auto& [at, value] :
       {std::pair<std::size_t, std::uint32_t>{24, 11}, {24, 13}, {20, 5}, {16, 77}, {24, 0}}) {
    BOOST_TEST_CONTEXT(at << " " << value) {
      std::string wrong = zip;
      Put(wrong, directory + at, value, 4);
      BOOST_CHECK_EXCEPTION(ReadAll(wrong, "0"), Error, HasCode("bad_zip"));
    }
  }
  std::string empty = ZipOf({{"0", ""}});
  BOOST_TEST(ReadAll(empty, "0") == "");
  Put(empty, empty.find("PK\1\2") + 16, 77, 4);
  BOOST_CHECK_EXCEPTION(ReadAll(empty, "0"), Error, HasCode("bad_zip"));
  std::string flipped = zip;
  flipped[zip.find("hello")] = 'j';
  BOOST_CHECK_EXCEPTION(ReadAll(flipped, "0"), Error, HasCode("bad_zip"));
}

BOOST_AUTO_TEST_CASE(what_is_no_zip_or_only_a_part_of_one_is_refused) {
  const std::string zip = ZipOf({{"0", "hello"}, {"_meta", "{}"}});
  BOOST_CHECK_EXCEPTION(ZipReader(std::string_view{}), Error, HasCode("bad_zip"));
  BOOST_CHECK_EXCEPTION(ZipReader(std::string_view("MZ this is a program")), Error, HasCode("bad_zip"));
  for (std::size_t size = 0; size < zip.size(); ++size) {
    BOOST_CHECK_EXCEPTION(ReadAll(zip.substr(0, size), "0"), Error, HasCode("bad_zip"));
  }
  BOOST_CHECK_EXCEPTION(ReadAll(zip, "1"), Error, HasCode("bad_zip"));
  BOOST_CHECK_EXCEPTION(ReadAll(zip, std::string("0\0", 2)), Error, HasCode("bad_zip"));
}

BOOST_AUTO_TEST_CASE(two_entries_of_one_name_are_refused) {
  BOOST_CHECK_EXCEPTION(ZipReader(ZipOf({{"0", "one"}, {"0", "two"}})), Error, HasCode("bad_zip"));
}

BOOST_AUTO_TEST_CASE(too_many_entries_are_refused_before_the_directory_is_read) {
  std::vector<std::pair<std::string, std::string>> files;
  for (int i = 0; i < 1000; ++i) files.emplace_back(std::to_string(i), "x");
  BOOST_CHECK_NO_THROW(ZipReader(ZipOf(files)));
  files.emplace_back("1000", "x");
  BOOST_CHECK_EXCEPTION(ZipReader(ZipOf(files)), Error, HasCode("bad_zip"));
  // Many ends of directories: libzip would read a directory for each.
  std::string ends = ZipOf({{"0", "hello"}});
  std::string many;
  for (int i = 0; i < 20; ++i) many += ends;
  BOOST_CHECK_EXCEPTION(ZipReader{many}, Error, HasCode("bad_zip"));
  // A zip64 locator stands right before the end.
  std::string zip64 = ends;
  zip64.insert(zip64.size() - 22, std::string("PK\6\7", 4) + std::string(16, '\0'));
  BOOST_CHECK_EXCEPTION(ZipReader{zip64}, Error, HasCode("bad_zip"));
  // A long directory of few entries.
  std::string long_one = ends;
  const std::size_t directory = long_one.size() - 22 + 12;
  long_one.insert(0, std::string(600'000, 'x'));
  Put(long_one, directory + 600'000, 513 << 10, 4);
  BOOST_CHECK_EXCEPTION(ZipReader{long_one}, Error, HasCode("bad_zip"));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_a_zip_itself_is_a_file_like_any_other) {
  const std::string inner = ZipOf({{"x", "y"}});
  const std::string zip = ZipOf({{"0", inner}, {"_meta", "{}"}});
  BOOST_TEST((ReadAll(zip, "0") == inner));
  // Nor do contents that look like the end of a large zip, or of a zip64 one, make the zip a bad one.
  const std::string like_an_end =
      std::string("PK\5\6", 4) + std::string(18, '\x7f') + std::string("PK\6\7", 4);
  BOOST_TEST((ReadAll(ZipOf({{"0", like_an_end}}), "0") == like_an_end));
}

BOOST_AUTO_TEST_CASE(encrypted_entries_and_other_methods_are_refused) {
  BOOST_CHECK_EXCEPTION(ReadAll(DeflatedZip("0", "secret", ZIP_CM_DEFLATE, "password"), "0"), Error,
                        HasCode("bad_zip"));
  std::string zip = ZipOf({{"0", "hello"}});
  Put(zip, zip.find("PK\1\2") + 10, 12, 2);  // bzip2
  BOOST_CHECK_EXCEPTION(ReadAll(zip, "0"), Error, HasCode("bad_zip"));
}
