#pragma once
// The networks from which clients of versions 8 to 10 send. Their key is in the body, often after the data,
// so nginx must take a large body before the sender is known. It does so only from a network (an IPv4 address
// or an IPv6 /64) from which such a client has recently sent a valid key: every sync begins with a small
// message with the key. Shared by all accounts. The table is unlogged: after a crash of PostgreSQL such a
// client has to sync once more.
#include <string>
#include <string_view>

#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::anki {

class SenderStore {
 public:
  SenderStore(sql::Tx& tx, UserId /*not known yet*/) : tx_(tx) {}

  /// `remote_address`: text of the client's address.
  void Remember(std::string_view remote_address);
  /// Whether a valid key came from there within the last hour: a client may wait that long for its user to choose between
  /// upload and download.
  bool Knows(std::string_view remote_address);
  /// Deletes entries that Knows no longer counts.
  void Sweep();

 private:
  sql::Tx& tx_;
};

}  // namespace syncline::anki
