#pragma once
// Invariants of blobs, references and usage, checked in one snapshot. Reports only: a mismatch is our bug,
// and repairing it would hide it.
#include <string>
#include <vector>

#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::account {

class BlobCheckStore {
 public:
  BlobCheckStore(sql::Tx& tx, UserId /*all of them*/) : tx_(tx) {}
  /// One sentence per mismatch, at most a hundred of each kind. Reads whole tables, but not the contents of
  /// blobs.
  std::vector<std::string> Findings();

 private:
  sql::Tx& tx_;
};

}  // namespace syncline::account
