// Checks the catalog: keys and indexes of users' data begin with the owner, and foreign keys stay within the
// owner. This allows the schema to be sharded by user_id without a rewrite.
#include <boost/test/unit_test.hpp>
#include <map>
#include <string>

#include "tests/support/test_database.h"

using namespace syncline;
using tests::TestDatabase;

namespace {

// Tables without a tenant, each with a reason.
const std::map<std::string, std::string> kSharedTables = {
    {"users", "maps names to user ids; the list of tenants"},
    {"blobs", "equal bytes are stored once for all accounts; blob_refs holds the permissions"},
    {"blob_chunks", "like blobs"},
    {"jobs", "one queue for all workers; user_id is the account whose turn it takes"},
    {"job_ticks", "the last tick of each cron kind"},
    {"job_rates", "the latest attempts of each kind with a rate"},
    {"workers", "the running workers"},
    {"schema_migrations", "belongs to the database"},
    {"login_failures", "counts attempts on names that may not exist"},
    {"token_keys", "the keys of the installation, with which tokens are signed"},
    {"invitations", "whoever uses one has no account yet"},
    {"anki_senders", "asked before it is known who sends a request"},
    {"anime_titles", "one catalogue for all accounts"},
    {"anime_genres", "like anime_titles"},
    {"anime_title_genres", "like anime_titles"},
    {"anime_relations", "like anime_titles"},
    {"anime_missing", "what the upstream does not have, whoever asks"},
    {"schedule_institutes", "one public timetable for all accounts"},
    {"schedule_groups", "like schedule_institutes"},
    {"schedule_teachers", "like schedule_institutes"},
    {"schedule_subjects", "like schedule_institutes"},
    {"schedule_rooms", "like schedule_institutes"},
    {"schedule_lessons", "like schedule_institutes"},
    {"schedule_lesson_teachers", "like schedule_institutes"},
    {"schedule_runs", "how the timetable was read"},
    {"schedule_run_groups", "like schedule_runs"},
    {"schedule_group_states", "like schedule_runs"},
    {"schedule_changes", "changes of the timetable"},
    {"schedule_site", "what all workers know of the site"},
    {"decks_plans", "the plans of the installation"},
};

// Indexes of tenants' tables that do not begin with the tenant, each with a reason.
const std::map<std::string, std::string> kSharedIndexes = {
    {"anime_history_old", "the sweep finds old changes of all accounts"},
    {"anime_imports_old", "the sweep finds old imports of all accounts"},
    {"anime_imports_pending", "the sweep finds imports whose job is gone"},
    {"decks_public_id", "clients name a deck by this id"},
    {"decks_listed", "the list of all public decks"},
    {"decks_deleted", "the sweep finds the tombstones of all decks"},
    {"decks_notices_read", "the sweep finds what all accounts have seen long ago"},
    {"decks_uploads_old", "the sweep finds unconfirmed uploads of all decks"},
    {"blob_refs_blob", "the sweep checks whether a blob has any reference"},
    {"schedule_profiles_group", "a run reads the groups that somebody is in"},
    {"schedule_feeds_group", "like schedule_profiles_group"},
    {"devices_expires_at", "the sweep finds expired sessions of all accounts"},
    {"devices_foreign_key", "keys of other servers do not name their account"},
};

const char* const kTables =
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
    " AND NOT relispartition ORDER BY 1";

// Table, index, first column; 'primary' or not.
const char* const kIndexes =
    "SELECT c.relname, x.relname, coalesce(a.attname, '(expression)'), i.indisprimary"
    " FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid"
    " LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]"
    " WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1, 2";

// Name, from, to, first referencing column, first referenced column.
const char* const kForeignKeys =
    "SELECT k.conname, f.relname, t.relname, fa.attname, ta.attname FROM pg_constraint k"
    " JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid"
    " JOIN pg_attribute fa ON fa.attrelid = f.oid AND fa.attnum = k.conkey[1]"
    " JOIN pg_attribute ta ON ta.attrelid = t.oid AND ta.attnum = k.confkey[1]"
    " WHERE k.contype = 'f' AND f.relnamespace = 'public'::regnamespace ORDER BY 1";

bool IsShared(const std::string& table) {
  return kSharedTables.contains(table);
}

// Decks are tenants too: several users share one.
bool IsTenant(const std::string& column) {
  return column == "user_id" || column == "deck_id";
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_table_of_user_data_has_a_primary_key_that_begins_with_its_owner) {
  TestDatabase& db = TestDatabase::Instance();
  std::map<std::string, std::string> first;
  for (const auto& row : db.Run(kIndexes)) {
    if (row[3] == "t") first[row[0]] = row[2];
  }
  for (const auto& row : db.Run(kTables)) {
    if (IsShared(row[0])) continue;
    BOOST_TEST_CONTEXT(row[0]) {
      BOOST_TEST(IsTenant(first[row[0]]));
    }
  }
}

BOOST_AUTO_TEST_CASE(every_index_of_user_data_begins_with_its_owner) {
  for (const auto& row : TestDatabase::Instance().Run(kIndexes)) {
    if (IsShared(row[0]) || kSharedIndexes.contains(row[1])) continue;
    BOOST_TEST_CONTEXT(row[1]) {
      BOOST_TEST(IsTenant(row[2]));
    }
  }
}

BOOST_AUTO_TEST_CASE(no_foreign_key_leads_from_one_tenant_to_another) {
  for (const auto& row : TestDatabase::Instance().Run(kForeignKeys)) {
    if (IsShared(row[1])) continue;
    BOOST_TEST_CONTEXT(row[0]) {
      // Within a tenant, from owner to owner; of shared tables only to the account.
      BOOST_TEST(IsTenant(row[3]));
      BOOST_TEST(row[3] == row[4]);
      BOOST_TEST((!IsShared(row[2]) || row[2] == "users"));
    }
  }
}
