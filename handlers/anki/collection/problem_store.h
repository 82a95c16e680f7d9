#pragma once
// Reports for the operator: odd values in an upload, and the state of both sides at a failed sanity check.
// Clients do not see them.
//
// Takes no locks on the collection: a report is a row of its own, written in the same transaction.
#include <chrono>
#include <string>
#include <vector>

#include "handlers/anki/collection/session_store.h"
#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::anki {

/// The device that sent the request.
struct Sender {
  DeviceId device{};
  std::string client;  ///< client version, as the client reports it
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
  /// Reports that the counts of client and server differ. Call it before the session ends: it reads the
  /// staged rows.
  void KeepMismatch(const Sender& sender, const Session& session, const CollectionCounts& client,
                    const CollectionCounts& server);
  std::vector<Problem> Newest();  ///< newest first

 private:
  void Keep(std::string_view kind, const Sender& sender, const std::string& details);

  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::anki
