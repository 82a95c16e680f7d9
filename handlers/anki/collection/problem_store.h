#pragma once
// Reports for the operator: what was odd about an upload, and what both sides knew when a sanity check
// failed. The client learns nothing of them.
//
// Locks nothing: a report is a row of its own, written in the transaction of what it reports.
#include <chrono>
#include <string>
#include <vector>

#include "handlers/anki/collection/session_store.h"
#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::anki {

/// Who was at the other end.
struct Sender {
  DeviceId device{};
  std::string client;  ///< version, as it calls itself
};

struct Problem {
  std::chrono::system_clock::time_point happened_at;
  std::string kind;  ///< "sanity" or "upload"
  Sender sender;
  std::string details;  ///< a JSON object
};

class ProblemStore {
 public:
  ProblemStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  /// Reports an accepted upload in which these columns held odd values (README, "Odd values").
  void KeepUpload(const Sender& sender, const Adjustments& adjusted);
  /// Reports that client and server count differently. Call it before the session ends: it reads the staged
  /// rows.
  void KeepMismatch(const Sender& sender, const Session& session, const CollectionCounts& client,
                    const CollectionCounts& server);
  std::vector<Problem> Newest();  ///< newest first

 private:
  void Keep(std::string_view kind, const Sender& sender, const std::string& details);

  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::anki
