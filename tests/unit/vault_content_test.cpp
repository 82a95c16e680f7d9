// Classes of content, zips that are read while they arrive, and which contents a vault takes.
#include <sodium.h>

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "handlers/base/base64.h"
#include "handlers/base/errors.h"
#include "handlers/base/zip_stream.h"
#include "handlers/vault/content/content_rules.h"
#include "handlers/vault/versions/policy_rules.h"
#include "tests/support/inputs.h"

using namespace syncline;
using namespace syncline::vault;
using tests::StringSink;

namespace {

const auto kNow = std::chrono::system_clock::now();

ContentReport ReportOf(const std::string& bytes, std::size_t piece = 1 << 20, bool looks_into_zips = true) {
  ContentScan scan(looks_into_zips);
  for (std::size_t at = 0; at < bytes.size(); at += piece)
    scan.Write(std::string_view(bytes).substr(at, piece));
  return scan.Finish(kNow);
}

std::string BigEndian(std::uint64_t number, int size) {
  std::string bytes;
  for (int i = size - 1; i >= 0; --i) bytes += static_cast<char>(number >> (8 * i));
  return bytes;
}

std::string Fernet(std::size_t blocks, std::chrono::system_clock::time_point at = kNow) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
  const std::string token =
      "\x80" + BigEndian(static_cast<std::uint64_t>(seconds), 8) + std::string(16 + 16 * blocks + 32, 'x');
  return std::string(16, '\1') + ToBase64(token, sodium_base64_VARIANT_URLSAFE);
}

std::string Sqlite(std::size_t pages, std::uint64_t counter = 7) {
  std::string file(pages * 4096, '\0');
  file.replace(0, 16, std::string("SQLite format 3\0", 16));
  file.replace(16, 2, BigEndian(4096, 2));
  file.replace(24, 4, BigEndian(counter, 4));
  file.replace(28, 4, BigEndian(pages, 4));
  file.replace(92, 4, BigEndian(counter, 4));
  return file;
}

// With data descriptors and stored entries of unknown size, as ZipStream writes them.
std::string Streamed(const std::string& name, const std::string& content) {
  StringSink sink;
  ZipStream zip(sink);
  zip.Add(name, [&](BodySink& out) { out.Write(content); });
  zip.Finish();
  return sink.text;
}

std::string Little(std::uint64_t number, int size) {
  std::string bytes;
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(number >> (8 * i));
  return bytes;
}

struct Entry {
  std::string name, content;
  std::string listed{};  ///< its name in the directory; empty: the same
};

// Stored, with sizes in front, as the desktop's library writes small archives.
std::string Zip(const std::vector<Entry>& entries) {
  std::string out, directory;
  for (const Entry& entry : entries) {
    const std::string listed = entry.listed.empty() ? entry.name : entry.listed;
    const std::string sizes = Little(entry.content.size(), 4) + Little(entry.content.size(), 4);
    directory += "PK\1\2" + Little(20, 2) + Little(20, 2) + Little(0, 2) + Little(0, 2) + Little(0, 4) +
                 Little(0, 4) + sizes + Little(listed.size(), 2) + Little(0, 2) + Little(0, 2) +
                 Little(0, 2) + Little(0, 2) + Little(0, 4) + Little(out.size(), 4) + listed;
    out += "PK\3\4" + Little(20, 2) + Little(0, 2) + Little(0, 2) + Little(0, 4) + Little(0, 4) + sizes +
           Little(entry.name.size(), 2) + Little(0, 2) + entry.name + entry.content;
  }
  const std::size_t at = out.size();
  out += directory + "PK\5\6" + Little(0, 4) + Little(entries.size(), 2) + Little(entries.size(), 2) +
         Little(directory.size(), 4) + Little(at, 4) + Little(0, 2);
  return out;
}

std::string RefusalOf(const Vault& vault, const Path& path, const std::string& bytes) {
  try {
    CheckContent(vault, path, ReportOf(bytes, 1 << 20, LooksIntoZips(vault, path)));
    return "";
  } catch (const Error& error) {
    BOOST_TEST((error.kind() == ErrorKind::kUnprocessable));
    return error.code();
  }
}

const Path kDatabase = PathOf("cordiax_sync/cordiax.db"), kZipped = PathOf("cordiax_sync.zip"),
           kOther = PathOf("notes.bin");

}  // namespace

BOOST_AUTO_TEST_CASE(classes_are_told_whatever_the_pieces) {
  using C = ContentClass;
  const std::pair<std::string, C> kinds[] = {{"", C::kEmpty},
                                             {Sqlite(2), C::kSqlitePlain},
                                             {"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7 pages", C::kSqliteSidecar},
                                             {"\x37\x7f\x06\x82 pages", C::kSqliteSidecar},
                                             {"\x37\x7f\x06\x83 pages", C::kSqliteSidecar},
                                             {Fernet(1), C::kCordiaxFernet},
                                             {Fernet(500), C::kCordiaxFernet},
                                             {Zip({{"a", "b"}}), C::kZip},
                                             {"SQLite format 2", C::kOther},
                                             {"PK", C::kOther}};
  for (const auto& kind : kinds) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{1} << 20}) {
      const ContentReport report = ReportOf(kind.first, piece);
      BOOST_TEST((report.content_class == kind.second));
      BOOST_TEST(report.size_bytes == static_cast<std::int64_t>(kind.first.size()));
      BOOST_TEST((ClassOf(NameOf(report.content_class)) == kind.second));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_token_must_have_the_form_of_one) {
  BOOST_TEST(Fernet(1).size() == 116u);
  const std::string good = Fernet(3);
  BOOST_TEST((ReportOf(good).client_token_at.has_value()));
  std::string wrong = good;
  wrong[40] = '!';
  for (const std::string& bad :
       {good.substr(0, good.size() - 1), good.substr(0, good.size() - 4), good + "AAAA", wrong,
        Fernet(1, kNow + std::chrono::hours(25)), Fernet(1).substr(0, 112)})
    BOOST_TEST((ReportOf(bad).content_class == ContentClass::kOther));
  BOOST_TEST(
      (ReportOf(Fernet(1, kNow + std::chrono::hours(23))).content_class == ContentClass::kCordiaxFernet));
}

BOOST_AUTO_TEST_CASE(a_torn_database_is_seen) {
  BOOST_TEST(!ReportOf(Sqlite(3)).is_torn);
  BOOST_TEST((ReportOf(Sqlite(3, 9)).change_counter == 9));
  BOOST_TEST(ReportOf(Sqlite(3).substr(0, 8192)).is_torn);
  BOOST_TEST(ReportOf(Sqlite(3).substr(0, 8193)).is_torn);
  BOOST_TEST(ReportOf(Sqlite(3).substr(0, 50)).is_torn);
  std::string old_writer = Sqlite(3).substr(0, 8192);
  old_writer[95] = '\1';  // it does not know the number of pages
  BOOST_TEST(!ReportOf(old_writer).is_torn);
}

BOOST_AUTO_TEST_CASE(a_zip_is_read_to_its_end_whatever_the_pieces) {
  const std::string zip = Zip({{"cordiax.db", Sqlite(1)}, {"documentos/a.txt", "text"}, {"empty", ""}});
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{1} << 20}) {
    const ZipReport report = ReportOf(zip, piece).zip;
    BOOST_TEST((report.state == ZipState::kComplete));
    BOOST_TEST(report.entries == 3);
    BOOST_TEST((report.database == ContentClass::kSqlitePlain));
    BOOST_TEST(report.has_plaintext);
    BOOST_TEST(report.has_documents);
  }
  for (const std::size_t size : {std::size_t{10}, std::size_t{40}, zip.size() - 1})
    BOOST_TEST((ReportOf(zip.substr(0, size)).zip.state == ZipState::kBroken));
  BOOST_TEST((ReportOf(zip + "x").zip.state == ZipState::kBroken));
  BOOST_TEST((ReportOf(zip, 1, false).zip.state == ZipState::kNotRead));
  BOOST_TEST((ReportOf(Zip({})).zip.state == ZipState::kComplete));
}

BOOST_AUTO_TEST_CASE(what_other_readers_would_find_in_another_way_is_broken) {
  // The directory calls an entry the database that the entry itself does not.
  BOOST_TEST((ReportOf(Zip({{"harmless", Sqlite(1), "cordiax.db"}})).zip.state == ZipState::kBroken));
  const std::string zip = Zip({{"a", "b"}});
  BOOST_TEST((ReportOf("PK\3\4" + zip).zip.state != ZipState::kComplete));
  // Stored, without its size: where it ends is anybody's guess.
  BOOST_TEST((ReportOf(Streamed("cordiax.db", Sqlite(1))).zip.state == ZipState::kHidden));
}

BOOST_AUTO_TEST_CASE(zips_in_zips_are_read_one_level_deep) {
  const std::string inner = Zip({{"x.db", Sqlite(1)}});
  BOOST_TEST(ReportOf(Zip({{"inner.zip", inner}}), 5).zip.has_plaintext);
  BOOST_TEST(!ReportOf(Zip({{"inner.zip", Zip({{"a", "b"}})}})).zip.has_unknown_archive);
  BOOST_TEST(ReportOf(Zip({{"inner.zip", Zip({{"deeper.zip", inner}})}})).zip.has_unknown_archive);
  BOOST_TEST(ReportOf(Zip({{"a.gz", "\x1f\x8b more"}})).zip.has_unknown_archive);
}

BOOST_AUTO_TEST_CASE(dangerous_zips_are_refused) {
  const auto problem = [](const std::string& zip) { return std::string(ReportOf(zip).zip.problem); };
  for (const char* name : {"../x", "a/../b", "/etc/x", "a\\b", "C:x"})
    BOOST_TEST(problem(Zip({{name, "x"}})) == "zip_bad_name");
  BOOST_TEST(problem(Zip({{std::string(1025, 'n'), "x"}})) == "zip_bad_name");
  BOOST_TEST(problem(Zip({{"cordiax.db", "a"}, {"cordiax.db", "b"}})) == "zip_two_databases");
  BOOST_TEST(problem(Zip(std::vector<Entry>(20'001, {"n", ""}))) == "zip_too_many_entries");
  std::string locked = Zip({{"a", "b"}});
  locked[6] = '\1';
  BOOST_TEST(problem(locked) == "zip_encrypted_entry");
  BOOST_TEST(problem(Zip({{"a..b", "x"}})).empty());
}

BOOST_AUTO_TEST_CASE(an_encrypted_vault_takes_nothing_plain) {
  Vault vault{.requires_encryption = true};
  BOOST_TEST(RefusalOf(vault, kDatabase, Sqlite(1)) == "plaintext_refused");
  BOOST_TEST(RefusalOf(vault, kOther, Sqlite(1)) == "plaintext_refused");
  BOOST_TEST(RefusalOf(vault, kOther, "\x37\x7f\x06\x82 pages") == "plaintext_refused");
  BOOST_TEST(RefusalOf(vault, kDatabase, "anything") == "not_encrypted");
  BOOST_TEST(RefusalOf(vault, kDatabase, Fernet(1)).empty());
  BOOST_TEST(RefusalOf(vault, kDatabase, "").empty());
  BOOST_TEST(RefusalOf(vault, kZipped, Zip({{"cordiax.db", Fernet(1)}, {"documentos/a", "x"}})).empty());
  BOOST_TEST(RefusalOf(vault, kZipped, Zip({{"cordiax.db", "other"}})) == "not_encrypted");
  BOOST_TEST(RefusalOf(vault, kZipped, Zip({{"documentos/a", "x"}})).empty());
  BOOST_TEST(RefusalOf(vault, kOther, Zip({{"in.zip", Zip({{"x", Sqlite(1)}})}})) == "plaintext_refused");
  BOOST_TEST(RefusalOf(vault, kOther, Zip({{"a", "b"}}).substr(0, 40)) == "archive_refused");
  BOOST_TEST(RefusalOf(vault, kOther, Streamed("a", "b")) == "archive_refused");
  BOOST_TEST(RefusalOf(vault, kOther, "\x1f\x8b more") == "archive_refused");
  BOOST_TEST(RefusalOf(vault, kOther, "anything").empty());
  vault.allows_archives = true;
  BOOST_TEST(RefusalOf(vault, kOther, "\x1f\x8b more").empty());
  vault.documents = DocumentsPolicy::kReject;
  BOOST_TEST(RefusalOf(vault, kOther, "anything") == "documents_refused");
  BOOST_TEST(RefusalOf(vault, kZipped, Zip({{"cordiax.db", Fernet(1)}, {"documentos/a", "x"}})) ==
             "documents_refused");
  BOOST_TEST(RefusalOf({}, kDatabase, Sqlite(1)).empty());
}

BOOST_AUTO_TEST_CASE(states_and_heads) {
  using S = VersionState;
  const auto state = [](const Path& path, const std::string& bytes,
                        std::optional<std::int64_t> last = std::nullopt) {
    return StateOf(path, ReportOf(bytes), last);
  };
  BOOST_TEST((state(kOther, "") == S::kOk));
  BOOST_TEST((state(kDatabase, "") == S::kEmpty));
  BOOST_TEST((state(kDatabase, Sqlite(1, 5), 5) == S::kOk));
  BOOST_TEST((state(kDatabase, Sqlite(1, 5), 6) == S::kSuspect));
  BOOST_TEST((state(kDatabase, Fernet(1).substr(1)) == S::kSuspect));
  BOOST_TEST((state(kZipped, Zip({{"cordiax.db", Fernet(1)}})) == S::kOk));
  BOOST_TEST((state(kZipped, Zip({{"a", "b"}})) == S::kPartial));
  BOOST_TEST((state(kZipped, "no zip") == S::kSuspect));
  const Head good{.state = "ok"}, bad{.state = "suspect"};
  BOOST_TEST(BecomesHead(S::kOk, good));
  BOOST_TEST(!BecomesHead(S::kSuspect, good));
  BOOST_TEST(BecomesHead(S::kSuspect, bad));
  BOOST_TEST(BecomesHead(S::kSuspect, std::nullopt));
  BOOST_TEST(!BecomesHead(S::kEmpty, std::nullopt));
  BOOST_TEST(!BecomesHead(S::kPartial, std::nullopt));
}
