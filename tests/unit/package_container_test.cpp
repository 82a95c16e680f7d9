// The containers of packages: what is written can be read, and what lies is refused.
#include <boost/test/unit_test.hpp>
#include <functional>
#include <map>
#include <string>

#include "handlers/anki/package/container_wire.h"
#include "handlers/anki/package/media_name_rules.h"
#include "tests/support/inputs.h"

using namespace syncline;
using namespace syncline::anki;
using tests::Sha1Of;
using tests::StringSink;

namespace {

TempFile& FileOf(std::unique_ptr<TempFile>& keeper, const std::string& bytes) {
  keeper = std::make_unique<TempFile>("/tmp");
  keeper->Write(bytes);
  return *keeper;
}

std::string Written(PackageVersion version, const std::string& collection,
                    const std::map<std::string, std::string>& media) {
  StringSink out;
  PackageWriter writer(out, version);
  writer.Collection([&](BodySink& sink) { sink.Write(collection); });
  TempFile stub("/tmp");
  stub.Write("stub");
  writer.Stub(stub);
  for (const auto& file : media) {
    const std::string& content = file.second;
    writer.Media(file.first, Sha1Of(content), content.size(), [&](BodySink& sink) { sink.Write(content); });
  }
  writer.Finish();
  return out.text;
}

std::string RefusalOf(const std::string& bytes) {
  std::unique_ptr<TempFile> keeper;
  try {
    const PackageFile package = PackageFile::Open(FileOf(keeper, bytes).path());
    StringSink collection;
    package.ReadCollection(1 << 20, collection);
    for (const PackagedFile& file : package.Media()) {
      StringSink content;
      if (!package.ReadMedia(file, 1 << 20, content)) return "too_large";
    }
    return "";
  } catch (const PackageRefused& refused) {
    BOOST_TEST(!std::string(refused.what()).empty());
    return refused.code();
  }
}

const std::map<std::string, std::string> kMedia{{"a.png", "picture"},
                                                {"\xC3\xA9 & x.mp3", std::string(3 << 20, 's')}};

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_written_is_read_back) {
  for (const auto version : {PackageVersion::kLegacy2, PackageVersion::kLatest}) {
    std::unique_ptr<TempFile> keeper;
    const PackageFile package =
        PackageFile::Open(FileOf(keeper, Written(version, "collection", kMedia)).path());
    BOOST_TEST(static_cast<int>(package.version()) == static_cast<int>(version));
    StringSink collection;
    package.ReadCollection(100, collection);
    BOOST_TEST(collection.text == "collection");
    std::map<std::string, std::string> media;
    for (const PackagedFile& file : package.Media()) {
      StringSink content;
      package.ReadMedia(file, 4 << 20, content);
      media[file.name] = content.text;
      BOOST_TEST(file.sha1.has_value() == (version == PackageVersion::kLatest));
      if (file.sha1) BOOST_TEST((*file.sha1 == Sha1Of(content.text)));
    }
    BOOST_TEST((media == kMedia));
  }
}

BOOST_AUTO_TEST_CASE(an_entry_that_expands_too_far_is_cut_off_and_refused) {
  std::unique_ptr<TempFile> keeper;
  const std::string bytes = Written(PackageVersion::kLatest, std::string(200 << 20, 'x'), {});
  BOOST_TEST(bytes.size() < (1u << 20));
  const PackageFile package = PackageFile::Open(FileOf(keeper, bytes).path());
  StringSink collection;
  BOOST_CHECK_EXCEPTION(package.ReadCollection(1 << 20, collection), PackageRefused,
                        [](const PackageRefused& e) { return e.code() == "package_too_large"; });
  BOOST_TEST(collection.text.size() <= (1u << 20));
}

BOOST_AUTO_TEST_CASE(media_files_together_expand_to_a_multiple_of_the_package_and_no_further) {
  const std::string zeros(90 << 20, '\0');
  const std::string bytes =
      Written(PackageVersion::kLatest, "collection", {{"a", zeros}, {"b", zeros}, {"c", zeros}});
  std::unique_ptr<TempFile> keeper;
  const PackageFile package = PackageFile::Open(FileOf(keeper, bytes).path());
  const auto files = package.Media();
  const auto read = [&](const PackagedFile& file) {
    StringSink content;
    return package.ReadMedia(file, 100 << 20, content);
  };
  BOOST_TEST(read(files.at(0)));
  BOOST_TEST(read(files.at(1)));
  BOOST_CHECK_EXCEPTION(read(files.at(2)), PackageRefused,
                        [](const PackageRefused& e) { return e.code() == "package_too_large"; });
  StringSink collection;
  package.ReadCollection(100, collection);
  BOOST_TEST(collection.text == "collection");
}

BOOST_AUTO_TEST_CASE(a_large_package_may_expand_further) {
  std::string noise(16 << 20, '\0');
  std::uint64_t state = 1;
  for (char& c : noise)
    c = static_cast<char>((state = state * 6364136223846793005 + 1442695040888963407) >> 56);
  const std::string zeros(90 << 20, '\0');
  const std::string bytes = Written(PackageVersion::kLatest, "collection",
                                    {{"a", zeros}, {"b", zeros}, {"c", zeros}, {"d", zeros}, {"e", noise}});
  std::unique_ptr<TempFile> keeper;
  const PackageFile package = PackageFile::Open(FileOf(keeper, bytes).path());
  for (const PackagedFile& file : package.Media()) {
    StringSink content;
    BOOST_TEST(package.ReadMedia(file, 100 << 20, content));
  }
}

BOOST_AUTO_TEST_CASE(a_frame_of_empty_blocks_is_cut_off) {
  StringSink out;
  PackageWriter writer(out, PackageVersion::kLatest);
  // Blocks without content never reach a limit of the content.
  writer.CompressedCollection([](BodySink& sink) {
    sink.Write(std::string("\x28\xB5\x2F\xFD\0\0", 6) + std::string(3 << 20, '\0'));
  });
  writer.Finish();
  BOOST_TEST(RefusalOf(out.text) == "package_too_large");
}

BOOST_AUTO_TEST_CASE(what_is_cut_off_or_is_no_zip_is_refused) {
  const std::string whole = Written(PackageVersion::kLatest, "collection", kMedia);
  BOOST_TEST(RefusalOf(whole) == "too_large");  // the media file, at the limit of RefusalOf
  BOOST_TEST(RefusalOf("") == "not_a_package");
  BOOST_TEST(RefusalOf("MZ\x90 an executable") == "not_a_package");
  const std::string small = Written(PackageVersion::kLatest, "collection", {{"a.png", "picture"}});
  BOOST_TEST(RefusalOf(small) == "");
  for (std::size_t size = 1; size < small.size(); size += 7) {
    BOOST_TEST_CONTEXT(size) {
      BOOST_TEST(!RefusalOf(small.substr(0, size)).empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_of_content_is_found) {
  const std::string small =
      Written(PackageVersion::kLegacy2, "the whole collection", {{"a.png", "the picture"}});
  for (const std::string& what : {std::string("the whole"), std::string("the picture")}) {
    std::string changed = small;
    changed[changed.find(what)] ^= 1;
    BOOST_TEST(RefusalOf(changed) == "package_damaged");
  }
}

BOOST_AUTO_TEST_CASE(a_directory_with_too_many_entries_is_refused_before_it_is_read) {
  std::string end("PK\5\6\0\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0\0\0\0\0", 22);
  BOOST_TEST(RefusalOf(std::string(100, 'x') + end) == "package_damaged");
  // A zip64 directory with a billion entries.
  std::string end64("PK\6\6", 4);
  end64 += std::string(28, '\0') + std::string("\0\xCA\x9A\x3B\0\0\0\0", 8) + std::string(16, '\0');
  std::string locator("PK\6\7\0\0\0\0", 8);
  locator += std::string("\x64\0\0\0\0\0\0\0", 8) + std::string("\1\0\0\0", 4);
  BOOST_TEST(RefusalOf(std::string(100, 'x') + end64 + locator + end) == "too_many_files");
}

BOOST_AUTO_TEST_CASE(a_zip_with_many_ends_of_its_directory_is_refused) {
  // Each record announces the same directory, and libzip reads it once for each.
  const std::string whole = Written(PackageVersion::kLatest, "collection", {});
  const std::string end = whole.substr(whole.rfind("PK\5\6"));
  BOOST_TEST(RefusalOf(whole + end) == "");
  std::string many = whole;
  for (int i = 0; i < 1000; ++i) many += end;
  BOOST_TEST(RefusalOf(many) == "package_damaged");
}

BOOST_AUTO_TEST_CASE(names_of_media_files_become_what_clients_keep) {
  const std::map<std::string, std::string> kNames{
      {"a.png", "a.png"},
      {"a[b]c?.png", "abc.png"},
      {"con", "con_"},
      {"CON.txt", "CON_.txt"},
      {"com1.mp3", "com1_.mp3"},
      {"console.txt", "console.txt"},
      {"end.", "end._"},
      {"e\xCC\x81.png", "\xC3\xA9.png"},
      {"a\xC2\xA0"
       "b.png",
       "a b.png"},
      {"\x01\x02", ""},
      {std::string(130, 'x') + ".jpeg", std::string(114, 'x') + ".jpeg"},
      {std::string(130, 'x'), std::string(118, 'x')},
  };
  for (const auto& [name, normal] : kNames) {
    BOOST_TEST(NormalMediaName(name) == normal);
    if (!normal.empty()) BOOST_TEST(NormalMediaName(normal) == normal);
  }
  const std::string sha1(20, '\xAB');
  const std::string hash = "abababababababababababababababababababab";
  BOOST_TEST(NameWithHash("a.png", sha1) == "a-" + hash + ".png");
  BOOST_TEST(NameWithHash("noext", sha1) == "noext-" + hash + ".");
  BOOST_TEST(NameWithHash(std::string(110, 'y') + ".mp3", sha1) ==
             std::string(74, 'y') + "-" + hash + ".mp3");
}

BOOST_AUTO_TEST_CASE(a_path_is_no_file_name) {
  for (const char* name : {"", ".", "..", "/", "../x", "a/b", "/etc/passwd", "a/", "\xFF"}) {
    BOOST_TEST(!IsPlainFileName(name));
  }
  BOOST_TEST(IsPlainFileName("a b.png"));
}
