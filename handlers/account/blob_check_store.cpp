#include "handlers/account/blob_check_store.h"

#include "sql/queries/blobs.h"

namespace syncline::account {

std::vector<std::string> BlobCheckStore::Findings() {
  std::vector<std::string> findings;
  const auto text = [](const sql::Row& row, const char* column) {
    return std::to_string(row[column].As<std::int64_t>());
  };
  for (const sql::Row row : tx_.Query(sql::blobs::wrong_usage)) {
    findings.push_back("user " + text(row, "user_id") + " has " + text(row, "counted") +
                       " bytes counted for " + row["service"].As<std::string>() + " and refers to " +
                       text(row, "referred"));
  }
  for (const sql::Row row : tx_.Query(sql::blobs::wrong_references)) {
    findings.push_back("user " + text(row, "user_id") + " refers to blob " + text(row, "blob_id") + " for " +
                       row["service"].As<std::string>() + ", which is missing or of another size");
  }
  for (const sql::Row row : tx_.Query(sql::blobs::wrong_sizes)) {
    findings.push_back("blob " + text(row, "blob_id") + " has " + text(row, "stored") + " bytes and says " +
                       text(row, "size_bytes"));
  }
  return findings;
}

}  // namespace syncline::account
