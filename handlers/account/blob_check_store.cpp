#include "handlers/account/blob_check_store.h"

#include "sql/queries/account.h"
#include "sql/queries/blobs.h"

namespace syncline::account {
namespace {

// Blobs per step. A large one has 2,000 chunks, whose lengths take a few milliseconds.
constexpr int kBlobsAtOnce = 100;

std::string Text(const sql::Row& row, const char* column) {
  return std::to_string(row[column].As<std::int64_t>());
}

}  // namespace

std::vector<UserId> BlobCheckStore::AccountsAfter(UserId after, int limit) {
  return tx_.Query(sql::account::users_after, after, limit).Column<UserId>("user_id");
}

std::vector<std::string> BlobCheckStore::AccountFindings(UserId user) {
  const std::string who = "user " + std::to_string(static_cast<std::int64_t>(user));
  std::vector<std::string> findings;
  for (const sql::Row& row : tx_.Query(sql::blobs::wrong_usage, user)) {
    findings.push_back(who + " has " + Text(row, "counted") + " bytes counted for " +
                       row["service"].As<std::string>() + " and refers to " + Text(row, "referred"));
  }
  for (const sql::Row& row : tx_.Query(sql::blobs::wrong_references, user)) {
    findings.push_back(who + " refers to blob " + Text(row, "blob_id") + " for " +
                       row["service"].As<std::string>() + ", which is missing or of another size");
  }
  return findings;
}

bool BlobCheckStore::CheckSizes(BlobId& after, std::vector<std::string>& findings) {
  const sql::Rows blobs = tx_.Query(sql::blobs::stored_sizes, after, kBlobsAtOnce);
  for (const sql::Row& row : blobs) {
    after = row["blob_id"].As<BlobId>();
    if (row["stored"].As<std::int64_t>() == row["size_bytes"].As<std::int64_t>()) continue;
    findings.push_back("blob " + Text(row, "blob_id") + " has " + Text(row, "stored") + " bytes and says " +
                       Text(row, "size_bytes"));
  }
  return !blobs.empty();
}

}  // namespace syncline::account
