#pragma once
// The daily check: the counters match the rows, every usn is below the collection's, every base file has its
// blob and reference. Read-only. It reports and never repairs: a difference is a bug, and a silent repair
// would hide the bug and might destroy correct data.
#include <string>
#include <vector>

#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::anki {

class CheckStore {
 public:
  CheckStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}
  /// At most `limit` accounts with a collection and an id above `after`, ascending.
  std::vector<UserId> AccountsAfter(UserId after, int limit);
  /// The problems of this user's collection, one sentence each; empty if there are none.
  std::vector<std::string> Findings();

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::anki
