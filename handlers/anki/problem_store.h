#pragma once
// Reports for the operator: what was odd about an upload, and what both sides knew when a sanity check
// failed. The client learns nothing of them.
//
// Locks nothing: a report is a row of its own, written in the transaction of what it reports.
#include <chrono>
#include <string>
#include <vector>

#include "handlers/anki/file_wire.h"
#include "handlers/anki/session_store.h"
#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::anki {

/// Who was at the other end.
struct Reporter {
  DeviceId device{};
  std::string client;  ///< version, as it calls itself
};

struct Problem {
  std::chrono::system_clock::time_point happened_at;
  std::string kind;  ///< "sanity" or "upload"
  Reporter reporter;
  std::string details;  ///< a JSON object
};

class ProblemStore {
 public:
  ProblemStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  /// An upload was taken although these values were not read as they are stored.
  void KeepUpload(const Reporter& reporter, const Adjustments& adjusted);
  /// The two sides of a session counted differently. To be kept before the session ends, and its staged rows
  /// with it.
  void KeepMismatch(const Reporter& reporter, const Session& session, const CollectionCounts& client,
                    const CollectionCounts& server);
  std::vector<Problem> Newest();  ///< newest first

 private:
  void Keep(std::string_view kind, const Reporter& reporter, const std::string& details);

  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::anki
