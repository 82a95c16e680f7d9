#pragma once
// Restores the media of one account to their state at an earlier time, as new changes with new usns, which
// devices get by their next normal media sync. The replaced state goes to the history, so a restore can be
// undone.
//
// Everything happens in the caller's transaction, so it is atomic with the caller's other changes. The lock
// order is that of MediaStore. A file whose content is the same as then keeps its usn.
#include <cstdint>

#include "handlers/anki/media/media_rules.h"
#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::anki {

struct RestoredMedia {
  bool is_known = true;  ///< false: nothing was changed, because the history does not reach back that far
  std::int64_t put_back = 0;  ///< files that had been deleted, or had other content
  std::int64_t deleted = 0;   ///< files that were not there then
};

class MediaRestoreStore {
 public:
  MediaRestoreStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}
  /// Locks the head, for a caller that takes further locks before RestoreTo.
  void Lock();
  /// Locks the head and applies the changes, a thousand in a statement. Not limited by the quota, because the
  /// restored bytes count already. Holds 8 bytes of memory for each change.
  RestoredMedia RestoreTo(sql::Time at);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::anki
