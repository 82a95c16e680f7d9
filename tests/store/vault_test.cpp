// Vaults against PostgreSQL: what SaveUpload promises to every protocol, locks, and two writers at once.
#include <boost/test/unit_test.hpp>
#include <future>
#include <string>
#include <thread>

#include "handlers/base/context.h"
#include "handlers/base/errors.h"
#include "handlers/vault/tree/lock_store.h"
#include "handlers/vault/versions/keeping_flow.h"
#include "handlers/vault/versions/upload_flow.h"
#include "handlers/vault/versions/vault_flow.h"
#include "tests/support/known_redis.h"
#include "tests/support/test_database.h"

using namespace syncline;
using namespace syncline::vault;
using tests::RunOn;
using tests::TestDatabase;

namespace {

const Path kDocument = PathOf("cordiax_sync/cordiax.db");
constexpr DeviceId kOne{1}, kTwo{2};

struct Fixture {
  TestDatabase& test = TestDatabase::Instance();
  sql::Database database{test.settings()};
  Config config = test.config();
  Redis redis{tests::RedisUrl()};
  Context context{config, database, redis, "test"};
  UserId user;
  Vault vault;

  Fixture() {
    test.Empty("users, blobs, vaults, vault_nodes, vault_versions, vault_props, vault_locks, vault_events");
    user = test.AddUser("vault");
    context.SetIdentity({user, {}});
    vault = CreateVault(context, "Aula", "aula-3");
  }

  Uploaded Save(const std::string& content, Upload upload = {}, const Path& path = kDocument) {
    upload.vault = vault.id;
    return context.WithDatabase([&](sql::Database& slot) {
      Incoming incoming(slot, user, vault, path, static_cast<std::int64_t>(content.size()));
      incoming.Write(content);
      return SaveUpload(context, upload, incoming);
    });
  }
  Uploaded SaveFrom(DeviceId device, const std::string& content) {
    return Save(content, {.source = Source::kSocketio, .device = device});
  }
  template <typename F>
  static std::string CodeOf(F&& act) {
    try {
      act();
      return "";
    } catch (const Error& error) {
      return error.code();
    }
  }
  std::string Value(const std::string& query) { return test.Value(query); }
  Place Walk() {
    return context.Read<NodeStore>([&](NodeStore& nodes) { return nodes.Walk(vault.id, kDocument); });
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(an_upload_becomes_the_head_and_a_repeated_one_changes_nothing, Fixture) {
  const Uploaded first = SaveFrom(kOne, "suspect but alone");
  BOOST_TEST((first.outcome == syncline::vault::Outcome::kHead));
  BOOST_TEST(first.is_new_name);
  BOOST_TEST((first.version->state == VersionState::kSuspect));
  const Uploaded again = SaveFrom(kTwo, "suspect but alone");
  BOOST_TEST((again.outcome == syncline::vault::Outcome::kUnchanged));
  BOOST_TEST(!again.version);
  BOOST_TEST(ETagOf(again.file).Print() == ETagOf(first.file).Print());
  BOOST_TEST(Value("SELECT count(*) FROM vault_versions") == "1");
  BOOST_TEST(Value("SELECT holders FROM blob_refs WHERE service = 'vault'") == "1");
  BOOST_TEST(Value("SELECT string_agg(kind, ' ' ORDER BY event_id) FROM vault_events") ==
             "upload_warning upload_unchanged");
}

BOOST_FIXTURE_TEST_CASE(a_writer_that_names_what_it_has_seen_is_refused_when_it_is_stale, Fixture) {
  const Uploaded first = Save("1", {.device = kOne, .base_version = 0});
  BOOST_TEST(CodeOf([&] { Save("2", {.device = kTwo, .base_version = 0}); }) == "version_changed");
  const auto seen = static_cast<std::int64_t>(first.version->id);
  const Uploaded second = Save("2", {.device = kTwo, .base_version = seen});
  BOOST_TEST(!second.conflict);
  BOOST_TEST(CodeOf([&] { Save("3", {.device = kOne, .base_version = seen}); }) == "version_changed");
  BOOST_TEST(Value("SELECT count(*) FROM vault_versions") == "2");
}

BOOST_FIXTURE_TEST_CASE(a_head_that_the_writer_has_not_seen_is_kept_as_a_conflict_copy, Fixture) {
  const Uploaded first = SaveFrom(kOne, "1"), second = SaveFrom(kTwo, "2");
  BOOST_TEST((second.conflict == first.version->id));
  BOOST_TEST(Value("SELECT state FROM vault_versions WHERE seq = 1") == "conflict");
  BOOST_TEST(!SaveFrom(kTwo, "3").conflict);
  const Uploaded plain = Save("a", {.device = kOne}, PathOf("notes"));
  BOOST_TEST(plain.is_new_name);
  BOOST_TEST(!Save("b", {.device = kTwo}, PathOf("notes")).conflict);
}

BOOST_FIXTURE_TEST_CASE(an_upload_to_a_locked_file_waits_for_a_person, Fixture) {
  SaveFrom(kOne, "1");
  const Place place = Walk();
  const Lock lock = context.Write<LockStore>([&](LockStore& locks) {
    return locks.Add(vault.id, {.root = place.nodes.back().id, .timeout_s = 60});
  });
  const Uploaded kept = SaveFrom(kOne, "2");
  BOOST_TEST((kept.outcome == syncline::vault::Outcome::kKept));
  BOOST_TEST((kept.version->state == VersionState::kConflict));
  BOOST_TEST((kept.file.head->version == Walk().nodes.back().head->version));
  BOOST_TEST(Value("SELECT kind FROM vault_events ORDER BY event_id DESC LIMIT 1") == "upload_locked");
  context.Write<LockStore>([&](LockStore& locks) { locks.Remove(vault.id, lock.root, lock.token); });
  const Version restored = RestoreVersion(context, vault.id, kept.version->id, Source::kUi);
  BOOST_TEST((Walk().nodes.back().head->version == restored.id));
}

BOOST_FIXTURE_TEST_CASE(what_is_refused_leaves_an_event_and_nothing_else, Fixture) {
  // Another process has switched encryption on since this one looked.
  SwitchEncryption(context, vault.id, true, Source::kUi);
  const std::string plain = std::string("SQLite format 3\0", 16) + std::string(4080, 'x');
  BOOST_TEST(CodeOf([&] { SaveFrom(kOne, plain); }) == "plaintext_refused");
  vault.requires_encryption = true;
  BOOST_TEST(CodeOf([&] {
               context.WithDatabase([&](sql::Database& slot) {
                 Incoming incoming(slot, user, vault, kDocument, 0);
                 incoming.Write(plain.substr(0, 16));
               });
             }) == "plaintext_refused");
  BOOST_TEST(CodeOf([&] { Save("x", {}, PathOf("none/x")); }) == "no_parent");
  BOOST_TEST(CodeOf([&] { Save("x", {}, PathOf(".vault/x")); }) == "reserved_name");
  BOOST_TEST(CodeOf([&] { Save("", {}, PathOf("cordiax_sync")); }) == "is_collection");
  BOOST_TEST(CodeOf([&] {
               context.WithDatabase([&](sql::Database& slot) {
                 Incoming incoming(slot, user, vault, PathOf("x"), 0);
                 incoming.SetLimit(3);
                 incoming.Write("1234");
               });
             }) == "file_too_large");
  BOOST_TEST(Value("SELECT count(*) FROM vault_versions") == "0");
  BOOST_TEST(Value("SELECT count(*) FROM blobs") == "0");
  BOOST_TEST(Value("SELECT count(*) FROM vault_events WHERE kind = 'upload_refused'") == "1");
}

BOOST_FIXTURE_TEST_CASE(two_writers_at_once_take_turns, Fixture) {
  // Somebody holds the vault; both wait, and only the first one finds the version that both have seen.
  const auto holder = test.Connect();
  RunOn(holder.get(), "BEGIN; SELECT FROM vaults FOR UPDATE");
  const auto write = [&](const char* content) {
    Fixture* const self = this;
    return std::async(std::launch::async, [self, content] {
      sql::Database slot(self->test.settings());
      Context own(self->config, slot, self->redis, content);
      own.SetIdentity({self->user, {}});
      return CodeOf([&] {
        Incoming incoming(slot, self->user, self->vault, kDocument, 1);
        incoming.Write(content);
        SaveUpload(own, {.vault = self->vault.id, .base_version = 0}, incoming);
      });
    });
  };
  auto one = write("1"), two = write("2");
  tests::WaitForLockWaiters(test, 2);
  RunOn(holder.get(), "COMMIT");
  const std::string codes = one.get() + two.get();
  BOOST_TEST(codes == "version_changed");
  BOOST_TEST(Value("SELECT count(*) FROM vault_versions") == "1");
}

BOOST_FIXTURE_TEST_CASE(a_purged_version_gives_its_bytes_back, Fixture) {
  const Uploaded first = SaveFrom(kOne, "12345"), second = SaveFrom(kOne, "6789");
  BOOST_TEST(PurgeVersions(context, vault.id, {second.version->id}, Source::kUi) == 1);
  BOOST_TEST(Value("SELECT used_bytes FROM vaults") == "5");
  BOOST_TEST(Value("SELECT bytes FROM usage WHERE service = 'vault'") == "5");
  BOOST_TEST(!Walk().nodes.back().head);
  RestoreVersion(context, vault.id, first.version->id, Source::kUi);
  BOOST_TEST(Walk().nodes.back().head->size_bytes == 5);
  const std::string rows = Value("SELECT row_bytes FROM vaults");
  PurgePlaintext(context, vault.id, Source::kUi);
  BOOST_TEST(Value("SELECT row_bytes FROM vaults") == rows);
}

BOOST_FIXTURE_TEST_CASE(vaults_of_others_do_not_exist, Fixture) {
  SaveFrom(kOne, "1");
  context.SetIdentity({test.AddUser("other"), {}});
  BOOST_TEST(CodeOf([&] { ChangeVault(context, vault.id, {}); }) == "no_such_vault");
  BOOST_TEST(CodeOf([&] { RestoreVersion(context, vault.id, VersionId{1}, Source::kUi); }) ==
             "no_such_vault");
  BOOST_TEST(context.ReadOnce<VaultStore>([](VaultStore& vaults) { return vaults.List().size(); }) == 0u);
}
