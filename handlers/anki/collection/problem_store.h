#pragma once
// Reports for the operator: odd values in an upload, the state of both sides at a failed sanity check, and requests that were
// refused. Clients do not see them. A client repeats refused requests, so equal refusals are one report with
// a count.
//
// Takes no locks on the collection: a report is a row of its own, written in the same transaction.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/anki/collection/session_store.h"
#include "handlers/base/ids.h"
#include "handlers/base/json_writer.h"
#include "sql/tx.h"

namespace syncline::anki {

/// The device that sent the request.
struct Sender {
  DeviceId device{};
  std::string client;  ///< client version, as the client reports it
};

/// A request of a known device that was refused.
struct Refusal {
  std::string request;  ///< the call, "applyChunk"
  std::string code;     ///< of the error
  std::string why;      ///< the private text of the error, or the text that the client shows
  std::string file;     ///< name of the media file that was refused; empty: none
};

struct Problem {
  std::chrono::system_clock::time_point happened_at;  ///< the last time
  std::string kind;                                   ///< "sanity", "upload" or "refused"
  Sender sender;
  std::string details;  ///< a JSON object
  int times = 1;
  std::chrono::system_clock::time_point first_at;
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
  /// Reports a refusal, with what the session of this key has staged so far, if there is one.
  void KeepRefusal(const Sender& sender, const Refusal& refusal, const std::string& session_key);
  std::vector<Problem> Newest();  ///< newest first

 private:
  void AddTouched(JsonWriter& json, std::int64_t fence);
  // `subject`: as the column.
  void Keep(std::string_view kind, const Sender& sender, const std::string& details,
            const std::optional<std::string>& subject = std::nullopt);

  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::anki
