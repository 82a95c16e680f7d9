// The catalog against DESIGN's rule: what belongs to a person begins with that person, in every key and
// index, and refers to nothing of anybody else. It is what lets the schema be spread over machines by user_id
// without a rewrite.
#include <boost/test/unit_test.hpp>
#include <map>
#include <string>

#include "tests/support/test_database.h"

using namespace syncline;
using tests::TestDatabase;

namespace {

// Tables that belong to no tenant, each with its reason.
const std::map<std::string, std::string> kSharedTables = {
    {"users", "where a name becomes a user_id; also the tenants' own list"},
    {"blobs", "equal bytes are stored once for all; who may read is in blob_refs"},
    {"blob_chunks", "as blobs"},
    {"jobs", "one queue for the fleet; user_id is whose turn it takes"},
    {"job_ticks", "the last tick of each cron kind"},
    {"workers", "the fleet's own: who is alive"},
    {"schema_migrations", "of the database"},
    {"login_failures", "counts attempts on names that nobody may have"},
};

// Indexes of tenants' tables that do not begin with the tenant, each with its reason.
const std::map<std::string, std::string> kSharedIndexes = {
    {"blob_refs_blob", "the sweep asks whether anybody refers to a blob"},
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

// Name, from, to, first referring column, first referred column.
const char* const kForeignKeys =
    "SELECT k.conname, f.relname, t.relname, fa.attname, ta.attname FROM pg_constraint k"
    " JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid"
    " JOIN pg_attribute fa ON fa.attrelid = f.oid AND fa.attnum = k.conkey[1]"
    " JOIN pg_attribute ta ON ta.attrelid = t.oid AND ta.attnum = k.confkey[1]"
    " WHERE k.contype = 'f' AND f.relnamespace = 'public'::regnamespace ORDER BY 1";

bool IsShared(const std::string& table) {
  return kSharedTables.contains(table);
}

// Decks are tenants too: several people share one.
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
      // Inside a tenant: owner to owner, and to nothing that is shared but the account itself.
      BOOST_TEST(IsTenant(row[3]));
      BOOST_TEST(row[3] == row[4]);
      BOOST_TEST((!IsShared(row[2]) || row[2] == "users"));
    }
  }
}
