// The files of the official sync server: its environment, media.db, the write-ahead log. Databases are written by SQLite
// itself, with its own VFS, as the server does it.
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "handlers/account/login/key_wire.h"
#include "handlers/account/login/password.h"
#include "handlers/anki/file/file_wire.h"
#include "handlers/anki/moving/official_server_wire.h"
#include "handlers/base/sha256.h"

using namespace syncline;
using namespace syncline::anki;

namespace {

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/syncline-test.XXXXXX";
    path_ = mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// A database of SQLite, with its own VFS.
class Database {
 public:
  explicit Database(const std::string& path) {
    sqlite3* db = nullptr;
    BOOST_REQUIRE_EQUAL(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    db_.reset(db);
  }
  void Run(const std::string& sql) {
    char* problem = nullptr;
    const int code = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, &problem);
    BOOST_REQUIRE_MESSAGE(code == SQLITE_OK, sql << ": " << (problem == nullptr ? "" : problem));
  }
  std::string Value(const std::string& sql) {
    std::string value;
    const auto row = [](void* into, int, char** values, char**) {
      *static_cast<std::string*>(into) = values[0] == nullptr ? "" : values[0];
      return 0;
    };
    BOOST_REQUIRE_EQUAL(sqlite3_exec(db_.get(), sql.c_str(), row, &value, nullptr), SQLITE_OK);
    return value;
  }

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close(db); }
  };
  std::unique_ptr<sqlite3, Close> db_;
};

const char* const kSchema =
    "CREATE TABLE media (fname text NOT NULL PRIMARY KEY, csum blob NOT NULL, size int NOT NULL, usn int NOT "
    "NULL, "
    "mtime int NOT NULL); CREATE INDEX ix_usn ON media (usn); CREATE TABLE meta (last_usn int NOT NULL, "
    "total_bytes int "
    "NOT NULL, total_nonempty_files int NOT NULL); PRAGMA user_version = 4;";

std::vector<std::string> Rows(const std::string& path) {
  OfficialMediaList list(path);
  std::vector<std::string> rows;
  for (OfficialMedia row; list.Next(row);) {
    rows.push_back(row.name + " " + HexText(row.sha1).substr(0, 4) + " " + std::to_string(row.size_bytes) +
                   " " + std::to_string(row.usn));
  }
  return rows;
}

void Copy(const std::string& from, const std::string& to) {
  std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
}

std::string Bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void Put(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

using Texts = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_CASE(a_key_is_the_hash_of_name_and_password) {
  // Made by the server, of `user:pass`.
  BOOST_TEST((OfficialUser{"user", "pass"}.Key()) == "b2619aa1529dfdc4248e6edbf3c1b2a2b014cf6d");
  BOOST_TEST(account::IsForeignKey("b2619aa1529dfdc4248e6edbf3c1b2a2b014cf6d"));
  for (const char* other :
       {"", "b2619aa1529dfdc4248e6edbf3c1b2a2b014cf6", "b2619aa1529dfdc4248e6edbf3c1b2a2b014cf6d0",
        "B2619aa1529dfdc4248e6edbf3c1b2a2b014cf6d", "g2619aa1529dfdc4248e6edbf3c1b2a2b014cf6d"}) {
    BOOST_TEST(!account::IsForeignKey(other));
  }
}

BOOST_AUTO_TEST_CASE(users_are_read_from_the_servers_environment) {
  const OfficialUsers users = ParseOfficialUsers(
      "# the server's\n\nSYNC_BASE=/data\nSYNC_USER1=ann:pa:ss=1 #2\r\nexport SYNC_USER2=\"B\u00f6b:two "
      "words\"\n"
      "  SYNC_USER3='cem:'\nSYNC_USER1=ann:the later\nOTHER\n");
  BOOST_TEST(users.problems.empty());
  BOOST_REQUIRE_EQUAL(users.users.size(), 3u);
  BOOST_TEST(users.users[0].name == "ann");
  BOOST_TEST(users.users[0].password == "the later");
  BOOST_TEST(users.users[1].name == "B\u00f6b");
  BOOST_TEST(users.users[1].password == "two words");
  BOOST_TEST(users.users[2].password == "");
  BOOST_TEST(!users.users[2].is_hashed);
  const OfficialUsers one = ParseOfficialUsers("SYNC_USER1=ann:pa:ss=1 #2");
  BOOST_REQUIRE_EQUAL(one.users.size(), 1u);
  BOOST_TEST(one.users[0].password == "pa:ss=1 #2");
  BOOST_TEST(ParseOfficialUsers("SYNC_USER1=a:$pbkdf2\nPASSWORDS_HASHED=\n").users.at(0).is_hashed);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_in_the_environment_is_told_without_a_value) {
  const OfficialUsers users = ParseOfficialUsers(
      "SYNC_USER1=ann:secret\nSYNC_USER2=secret\nSYNC_USER3=:secret\nSYNC_USER4=ann:other "
      "secret\nSYNC_USER6=eve:secret\n"
      "SYNC_USER01=fay:secret\nSYNC_USERX=gus:secret\n");
  BOOST_TEST(users.users.size() == 1u);
  BOOST_TEST(users.problems.size() == 6u);
  for (const std::string& problem : users.problems) BOOST_TEST(problem.find("secret") == problem.npos);
  BOOST_TEST(ParseOfficialUsers("").users.empty());
  BOOST_TEST(ParseOfficialUsers("SYNC_USER0=a:b\nSYNC_USER2=a:b").users.empty());
}

BOOST_AUTO_TEST_CASE(a_list_of_media_is_read_in_the_order_of_its_usns) {
  const Folder folder;
  {
    Database db(folder / "media.db");
    db.Run(kSchema);
    db.Run(
        "INSERT INTO media VALUES ('b', x'0102', 7, 3, 0), ('a', x'0304', 0, 9, 0), ('c', x'0506', 1, 5, 0)");
    db.Run("INSERT INTO meta VALUES (12, 8, 2)");
  }
  BOOST_TEST(OfficialMediaList(folder / "media.db").LastUsn() == 12);
  BOOST_TEST(Rows(folder / "media.db") == (Texts{"b 0102 7 3", "c 0506 1 5", "a 0304 0 9"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(shared_usns_become_distinct_ones) {
  const Folder folder;
  {
    Database db(folder / "media.db");
    db.Run(kSchema);
    db.Run(
        "INSERT INTO media VALUES ('a', x'', 1, 0, 0), ('b', x'', 1, 4, 0), ('c', x'', 1, 4, 0), ('d', x'', "
        "1, 5, 0), "
        "('e', x'', 1, 9, 0)");
    db.Run("INSERT INTO meta VALUES (9, 0, 0)");
  }
  BOOST_TEST(Rows(folder / "media.db") == (Texts{"a  1 1", "b  1 4", "c  1 5", "d  1 6", "e  1 9"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(other_databases_are_refused) {
  const Folder folder;
  const std::string path = folder / "media.db";
  const auto refuses = [&](const char* why) {
    BOOST_CHECK_EXCEPTION(Rows(path), FileRefused, [&](const FileRefused& e) {
      return std::string(e.what()).find(why) != std::string::npos;
    });
  };
  Put(path, "");
  refuses("another version");
  Put(path, std::string(5000, 'x'));
  refuses("damaged");
  {
    Database db(folder / "v3.db");
    db.Run(std::string(kSchema) + "PRAGMA user_version = 3;");
  }
  Copy(folder / "v3.db", folder / "media.db");
  BOOST_CHECK_THROW(Rows(folder / "media.db"), FileRefused);
  {
    Database db(folder / "empty.db");
    db.Run(kSchema);
  }
  BOOST_CHECK_THROW(Rows(folder / "empty.db"), FileRefused);
}

BOOST_AUTO_TEST_CASE(a_written_list_is_read_back_and_has_the_servers_form) {
  const Folder folder;
  const std::string path = folder / "media.db";
  Put(path, "");
  {
    OfficialMediaListWriter writer(path);
    writer.Put({"a \u00e9.jpg", std::string(20, '\x11'), 10, 2, 1'700'000'000});
    writer.Put({"b.jpg", std::string(20, '\0'), 0, 4, 0});
    writer.Put({"a \u00e9.jpg", std::string(20, '\x22'), 30, 5, 0});
    writer.Finish(7);
  }
  BOOST_TEST(Rows(path) == (Texts{"b.jpg 0000 0 4", "a \u00e9.jpg 2222 30 5"}),
             boost::test_tools::per_element());
  Database db(path);
  BOOST_TEST(db.Value("SELECT last_usn || ' ' || total_bytes || ' ' || total_nonempty_files FROM meta") ==
             "7 30 1");
  BOOST_TEST(db.Value("PRAGMA user_version") == "4");
  BOOST_TEST(db.Value("PRAGMA integrity_check") == "ok");
}

BOOST_AUTO_TEST_CASE(a_write_ahead_log_is_applied_up_to_its_last_commit) {
  const Folder folder;
  const std::string original = folder / "a.db", copy = folder / "copy.db";
  Database db(original);
  db.Run("PRAGMA page_size = 1024; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;");
  db.Run("CREATE TABLE t (x)");
  db.Run("PRAGMA wal_checkpoint(TRUNCATE)");
  db.Run("INSERT INTO t SELECT randomblob(3000) FROM (VALUES (1), (2), (3), (4), (5))");
  const std::string after_first = Bytes(original + "-wal");
  db.Run("BEGIN; DELETE FROM t WHERE rowid > 2; INSERT INTO t VALUES (randomblob(9000)); COMMIT");
  const std::string log = Bytes(original + "-wal");

  const auto rows_with = [&](const std::string& bytes) {
    Copy(original, copy);
    Put(folder / "log", bytes);
    ApplyWriteAheadLog(folder / "log", copy);
    // The header still says WAL, but there is no log.
    Database other(copy);
    BOOST_TEST(other.Value("PRAGMA integrity_check") == "ok");
    return other.Value("SELECT count(*) || ' ' || coalesce(sum(length(x)), 0) FROM t");
  };
  BOOST_TEST(rows_with("") == "0 0");
  BOOST_TEST(rows_with("no log") == "0 0");
  BOOST_TEST(rows_with(after_first) == "5 15000");
  BOOST_TEST(rows_with(log) == "3 15000");
  // What is cut off or damaged after the first commit does not count.
  BOOST_TEST(rows_with(log.substr(0, log.size() - 1)) == "5 15000");
  BOOST_TEST(rows_with(log.substr(0, after_first.size() + 100)) == "5 15000");
  std::string damaged = log;
  damaged[after_first.size() + 40] ^= 1;
  BOOST_TEST(rows_with(damaged) == "5 15000");
  // Frames that an earlier use of the log has left behind the new ones.
  BOOST_TEST(rows_with(after_first + log.substr(32)) == "5 15000");
  damaged = log;
  damaged[20] ^= 1;  // a salt: the head is not valid
  BOOST_TEST(rows_with(damaged) == "0 0");
}

BOOST_AUTO_TEST_CASE(passwords_hashed_for_the_official_server_match) {
  const account::HashSlot slot(std::chrono::seconds(5));
  // hashlib.pbkdf2_hmac(algorithm, b"correct horse", b"0123456789abcdef", 1000, 32)
  const std::string sha256 =
      "$pbkdf2-sha256$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$cBg8D2DungRB9k76szThf5ehfyBz991ay6PT8Srwk4M";
  const std::string sha512 =
      "$pbkdf2-sha512$l=32,i=1000$MDEyMzQ1Njc4OWFiY2RlZg$OM0FAoIqCVK1sWtxDiffVlBejtLa+ks4TP71JiecwuQ";
  for (const std::string& hash : {sha256, sha512}) {
    BOOST_TEST(account::IsForeignHash(hash));
    BOOST_TEST((account::MatchPassword(slot, hash, "correct horse") == account::PasswordMatch::kNormal));
    BOOST_TEST((account::MatchPassword(slot, hash, "correct horse ") == account::PasswordMatch::kNo));
    BOOST_TEST((account::MatchPassword(slot, hash, "") == account::PasswordMatch::kNo));
  }
  for (const std::string& bad :
       {std::string("$pbkdf2-sha256"), sha256 + "$x", sha256.substr(0, sha256.rfind('$') + 1), "x" + sha256,
        std::string("$pbkdf2-md5$i=1000$MDEy$MDEy"), std::string("$pbkdf2-sha256$i=0$MDEy$MDEy"),
        std::string("$pbkdf2-sha256$i=99999999$MDEy$MDEy"), std::string("$pbkdf2-sha256$$MDEy$MDEy"),
        std::string("$pbkdf2-sha256$i=10$M*$MDEy"),
        std::string("$pbkdf2-sha256$i=10$MDEy$") + std::string(200, 'A')}) {
    BOOST_TEST(!account::IsForeignHash(bad));
    BOOST_TEST((account::MatchPassword(slot, bad, "correct horse") == account::PasswordMatch::kNo));
  }
}
