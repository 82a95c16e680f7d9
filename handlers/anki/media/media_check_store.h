#pragma once
// Reads for the daily check of media (media_check_flow), in steps of a few milliseconds.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "handlers/anki/media/media_rules.h"
#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::anki {

/// The counters of the head, or the counts of the tables.
struct MediaTotals {
  MediaUsn last_usn = 0;
  std::int64_t files = 0, bytes = 0, row_bytes = 0;
  bool operator==(const MediaTotals&) const = default;
};

struct CountedMedia {
  MediaTotals totals;
  std::int64_t without_blob = 0, without_reference = 0;  ///< rows, current and replaced
};

class MediaCheckStore {
 public:
  MediaCheckStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}
  /// At most `limit` accounts with media and an id above `after`, ascending.
  std::vector<UserId> AccountsAfter(UserId after, int limit);
  std::optional<MediaTotals> Head();
  /// Adds one page of files, those with usns above `after`, to `counted`, and moves `after` to its end. False: there are no
  /// more.
  bool CountFiles(MediaUsn& after, CountedMedia& counted);
  bool CountHistory(MediaUsn& after, CountedMedia& counted);
  /// References with a wrong number of holders: one sentence each.
  std::vector<std::string> ReferenceFindings();

 private:
  bool CountPage(const sql::Statement& statement, MediaUsn& after, CountedMedia& counted, bool is_current);

  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::anki
