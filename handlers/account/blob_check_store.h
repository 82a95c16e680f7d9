#pragma once
// Reads for the nightly check of blobs, references and usage, in short steps. Reports only: a mismatch is our
// bug, and repairing it would hide it.
#include <string>
#include <vector>

#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::account {

class BlobCheckStore {
 public:
  BlobCheckStore(sql::Tx& tx, UserId /*all of them*/) : tx_(tx) {}
  /// At most `limit` accounts with an id above `after`, ascending.
  std::vector<UserId> AccountsAfter(UserId after, int limit);
  /// One sentence per mismatch of this account's references and usage; at most a hundred wrong references.
  std::vector<std::string> AccountFindings(UserId user);
  /// Compares the next blobs after `after` with the sizes of their chunks, adds a sentence per mismatch to
  /// `findings`, and moves `after`. False: there are no more. Does not read the contents of blobs.
  bool CheckSizes(BlobId& after, std::vector<std::string>& findings);

 private:
  sql::Tx& tx_;
};

}  // namespace syncline::account
