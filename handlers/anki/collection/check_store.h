#pragma once
// Reads for the daily check (check_flow), in steps of a few milliseconds; and the first count of texts.
#include <cstdint>
#include <string>
#include <vector>

#include "handlers/anki/collection/collection_store.h"
#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::anki {

/// Counts of the rows in the tables, page by page.
struct Counted {
  CollectionCounts counts{};
  std::int64_t newest_usn = -1;
  std::int64_t unlisted_cards = 0, unlisted_notes = 0,
               unlisted_reviews = 0;  ///< changed, but not in anki_changed
};

/// A position in the history of an account: of a point, or of a piece of its kept rows.
struct OldPosition {
  std::int32_t generation = 0;
  Usn usn = 0;
  std::int64_t piece = 0;
};

/// Problems of the history, page by page.
struct CheckedHistory {
  std::int64_t incomplete_points = 0;  ///< points whose recorded bytes differ from their kept rows
  std::int64_t lost_points = 0;        ///< of a collection that is not kept
  std::int64_t damaged_pieces = 0;     ///< a restore could not read them
  std::int64_t stray_rows = 0;         ///< of no point
};

class CheckStore {
 public:
  CheckStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}
  /// At most `limit` accounts with a collection and an id above `after`, ascending.
  std::vector<UserId> AccountsAfter(UserId after, int limit);
  /// Adds one page of rows, those with ids above `after`, to `counted`, and moves `after` to its end. False: there
  /// are no more.
  bool CountCards(const Collection& collection, std::int64_t& after, Counted& counted);
  bool CountNotes(const Collection& collection, std::int64_t& after, Counted& counted);
  bool CountReviews(const Collection& collection, std::int64_t& after, Counted& counted);
  /// Notetypes, decks, deck configs, and the usns of tags and graves.
  void CountSmallObjects(const Collection& collection, Counted& counted);
  /// Base files without blob or reference, and wrong numbers of references: one sentence each.
  std::vector<std::string> FileFindings();
  /// At most `limit` accounts above `after` with a collection whose texts are not counted yet, ascending.
  std::vector<UserId> UncountedAfter(UserId after, int limit);
  /// Counts the texts of this user's collection if its rows are imported and the texts are not counted yet.
  /// Locks it.
  void CountContent();
  /// Whether the counter of texts is right, in a transaction of one snapshot. Measures all texts: about 30 ms for
  /// 50,000 notes.
  std::vector<std::string> ContentFindings();
  /// Whether history_bytes is the sum over the points.
  std::vector<std::string> PointFindings();
  /// Adds one page, what is after `after`, to `checked`, and moves `after` to its end. False: there are no more.
  bool CheckPoints(OldPosition& after, CheckedHistory& checked);
  bool CheckOldCards(OldPosition& after, CheckedHistory& checked);
  bool CheckOldNotes(OldPosition& after, CheckedHistory& checked);
  /// Objects, tags and preferences, at once.
  void CheckOldRest(CheckedHistory& checked);

 private:
  bool CountPage(const sql::Statement& statement, const Collection& collection, std::int64_t& after,
                 std::int64_t& rows, std::int64_t& unlisted, Counted& counted);
  bool CheckPieces(const sql::Statement& statement, OldPosition& after, CheckedHistory& checked);

  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::anki
