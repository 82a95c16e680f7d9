#pragma once
// What must be true of blobs, references and usage whatever the code does, as questions to one snapshot.
// Reports only: what is wrong here is a mistake of ours, and repairing it would hide it.
#include <string>
#include <vector>

#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::account {

class BlobCheckStore {
 public:
  BlobCheckStore(sql::Tx& tx, UserId /*all of them*/) : tx_(tx) {}
  /// One sentence for each thing that does not fit, at most a hundred of a sort. Reads the tables whole, but
  /// none of the bytes.
  std::vector<std::string> Findings();

 private:
  sql::Tx& tx_;
};

}  // namespace syncline::account
