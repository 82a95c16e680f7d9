#pragma once
// The nightly check: are the counters what counting gives, is every usn below the collection's, has every
// base file its blob and reference? Reads only. It reports and never repairs: a difference is a bug
// somewhere, and repairing it silently would hide the bug and may destroy what is left of the truth.
#include <string>
#include <vector>

#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::anki {

class CheckStore {
 public:
  CheckStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}
  /// Accounts with a collection, ascending, from the first above `after`.
  std::vector<UserId> AccountsAfter(UserId after, int limit);
  /// What is wrong with this user's collection, one sentence each; empty: nothing.
  std::vector<std::string> Findings();

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::anki
